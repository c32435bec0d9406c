using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Members;

namespace Vtp.Application.Tenancy.Invitations;

/// <summary>What an invitation is for, before its reader decides. Does not use it up.</summary>
/// <param name="Token">From the mail.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.OneTimeSecret)]
public sealed record VerifyInvitationQuery(string? Token) : IQuery<InvitationVerified>;

/// <param name="HasAccount">Whether the address belongs to an account already, whose password is then asked for. Only the reader of its mail learns this.</param>
public sealed record InvitationVerified(string Organization, string Email, string Name, MemberRole Role, DateTimeOffset ExpiresAt, bool HasAccount);

internal sealed class VerifyInvitationValidator : AbstractValidator<VerifyInvitationQuery>
{
    public VerifyInvitationValidator() => RuleFor(query => query.Token).IsOneTimeSecret();
}

internal sealed class VerifyInvitationHandler(IVtpDb db, TenantScope tenant, TimeProvider clock)
    : IRequestHandler<VerifyInvitationQuery, Result<InvitationVerified>>
{
    public async Task<Result<InvitationVerified>> Handle(VerifyInvitationQuery request, CancellationToken cancellationToken)
    {
        var hash = OneTimeSecret.Hash(request.Token!);
        tenant.EnterSystem();
        var found = await (
            from invitation in db.Invitations.AsNoTracking().OfAllTenants()
            join organization in db.Organizations.OfAllTenants() on invitation.OrganizationId equals organization.Id
            where invitation.TokenHash == hash
            select new InvitationVerified(
                organization.Name,
                invitation.Email.Value,
                invitation.Name,
                invitation.Role,
                invitation.ExpiresAt,
                db.Accounts.Any(account => account.Email == invitation.Email && account.EmailVerifiedAt != null)))
            .SingleOrDefaultAsync(cancellationToken);
        return found is null ? InvitationRefusals.TokenRejected
            : found.ExpiresAt <= clock.GetUtcNow() ? InvitationRefusals.Expired
            : found;
    }
}
