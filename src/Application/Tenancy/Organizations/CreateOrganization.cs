using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Organizations;

/// <summary>Founds an organization. The caller is its first Owner.</summary>
/// <param name="Name">3 to 100 characters.</param>
/// <param name="AdminEmail">Where bills and notices go; no other living organization may use it.</param>
/// <param name="Plan">Free when absent.</param>
[Requires(Permission.SignedIn)]
[Audited(AuditActions.OrganizationCreated)]
[Idempotent]
public sealed record CreateOrganizationCommand(string? Name, string? AdminEmail, Plan? Plan) : ICommand<OrganizationView>;

internal sealed class CreateOrganizationValidator : AbstractValidator<CreateOrganizationCommand>
{
    public CreateOrganizationValidator()
    {
        RuleFor(command => command.Name).NotNull().WithMessage("Enter a name.").IsName();
        RuleFor(command => command.AdminEmail).IsEmailAddress();
    }
}

internal sealed class CreateOrganizationHandler(
    IVtpDb db, TenantScope tenant, IMemberships memberships, TenancyLimits limits, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<CreateOrganizationCommand, Result<OrganizationView>>
{
    public async Task<Result<OrganizationView>> Handle(CreateOrganizationCommand request, CancellationToken cancellationToken)
    {
        var (founder, email, now) = (caller.Required().AccountId, EmailAddress.Parse(request.AdminEmail!), clock.GetUtcNow());
        if ((await memberships.OfAsync(founder, cancellationToken)).Count(one => one.Role == MemberRole.Owner) >= limits.OrganizationsPerOwner)
        {
            return OrganizationRefusals.TooMany;
        }

        if (await db.IsAdminEmailTakenAsync(tenant, email, cancellationToken))
        {
            return OrganizationRefusals.AddressTaken;
        }

        var organization = Organization.Found(request.Name!, email, request.Plan ?? Plan.Free, now);
        tenant.Enter(organization.Id, project: null, organization.AuditRetentionDays);
        db.Organizations.Add(organization);
        db.Members.Add(Member.Founder(organization.Id, founder, now));
        (audit.TargetId, audit.TargetName) = (organization.Id.Value, organization.Name);
        await db.SaveChangesAsync(cancellationToken);
        return await db.Organizations.Where(one => one.Id == organization.Id).AsViews(db, founder).SingleAsync(cancellationToken);
    }
}

internal static class AdminEmails
{
    /// <summary>Looks at all organizations, and so leaves the caller's scope; whoever calls enters theirs again.</summary>
    public static Task<bool> IsAdminEmailTakenAsync(this IVtpDb db, TenantScope tenant, EmailAddress email, CancellationToken cancellationToken)
    {
        tenant.EnterSystem();
        return db.Organizations.OfAllTenants().AnyAsync(organization => organization.AdminEmail == email, cancellationToken);
    }
}
