using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Organizations;

/// <summary>Changes what is sent; absent or empty leaves it. The admin_email stays.</summary>
/// <param name="Name">3 to 100 characters.</param>
/// <param name="AuditRetentionDays">30 to 3650, for entries that are written from now on; older ones keep what was promised when they were written.</param>
[Requires(Permission.ManageOrganization)]
[Audited(AuditActions.OrganizationUpdated)]
public sealed record UpdateOrganizationCommand([property: JsonIgnore] Guid Id, string? Name, Plan? Plan, int? AuditRetentionDays)
    : ICommand<OrganizationView>, IAboutOrganization, IInvalidates
{
    OrganizationId? IAboutOrganization.Organization => new(Id);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => OrganizationCacheTags.Of(Id);
}

internal sealed class UpdateOrganizationValidator : AbstractValidator<UpdateOrganizationCommand>
{
    public UpdateOrganizationValidator()
    {
        RuleFor(command => command.Name).IsName().When(command => !string.IsNullOrEmpty(command.Name));
        RuleFor(command => command.AuditRetentionDays)
            .InclusiveBetween(Organization.MinimumAuditRetentionDays, Organization.MaximumAuditRetentionDays)
            .WithMessage($"Entries are kept for {Organization.MinimumAuditRetentionDays} to {Organization.MaximumAuditRetentionDays} days.");
    }
}

internal sealed class UpdateOrganizationHandler(
    IVtpDb db, IAuditPartitions partitions, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<UpdateOrganizationCommand, Result<OrganizationView>>
{
    public async Task<Result<OrganizationView>> Handle(UpdateOrganizationCommand request, CancellationToken cancellationToken)
    {
        var id = new OrganizationId(request.Id);
        var organization = await db.Organizations.SingleAsync(organization => organization.Id == id, cancellationToken);
        (audit.TargetId, audit.TargetName) = (request.Id, organization.Name);
        if (request.AuditRetentionDays is { } days && days != organization.AuditRetentionDays)
        {
            await partitions.PrepareAsync(days, cancellationToken);
        }

        organization.Change(string.IsNullOrEmpty(request.Name) ? null : request.Name, request.Plan, request.AuditRetentionDays, clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return await db.Organizations.AsNoTracking().Where(one => one.Id == id).AsViews(db, caller.Required().AccountId).SingleAsync(cancellationToken);
    }
}
