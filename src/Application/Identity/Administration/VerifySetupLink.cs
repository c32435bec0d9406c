using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Administration;

namespace Vtp.Application.Identity.Administration;

/// <summary>Whether a set-up link still works, before the operator fills the form in. Does not use it up.</summary>
/// <param name="Token">From the link: 30 minutes, once.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.OneTimeSecret)]
public sealed record VerifySetupLinkQuery(string? Token) : IQuery<SetupLinkVerified>;

public sealed record SetupLinkVerified(DateTimeOffset ExpiresAt);

internal sealed class VerifySetupLinkValidator : AbstractValidator<VerifySetupLinkQuery>
{
    public VerifySetupLinkValidator() => RuleFor(query => query.Token).IsOneTimeSecret();
}

internal sealed class VerifySetupLinkHandler(IVtpDb db, TimeProvider clock) : IRequestHandler<VerifySetupLinkQuery, Result<SetupLinkVerified>>
{
    public async Task<Result<SetupLinkVerified>> Handle(VerifySetupLinkQuery request, CancellationToken cancellationToken)
    {
        var (hash, now) = (OneTimeSecret.Hash(request.Token!), clock.GetUtcNow());
        var verified = await db.SetupLinks.AsNoTracking()
            .Where(link => link.TokenHash == hash && link.ExpiresAt > now)
            .Select(link => new SetupLinkVerified(link.ExpiresAt))
            .SingleOrDefaultAsync(cancellationToken);
        if (verified is null)
        {
            return SetupRefusals.LinkRejected;
        }

        return await db.Accounts.AnyAsync(account => account.Role == Role.Admin, cancellationToken) ? SetupRefusals.AlreadySetUp : verified;
    }
}
