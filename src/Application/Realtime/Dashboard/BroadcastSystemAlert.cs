using System.Text.Json;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Realtime;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>Alerts everybody who watches the installation's dashboard, or that of one organization. It is kept for 90 days.</summary>
/// <param name="Level">info, warning, error or critical.</param>
/// <param name="Message">Up to 1,000 characters.</param>
/// <param name="Source">What it is about, up to 100 letters, digits and <c>_.:/-</c>.</param>
/// <param name="Metadata">An object; <c>triggeredBy</c> and <c>manual</c> are added.</param>
/// <param name="OrgId">The organization whose managers are told; absent for the installation's administrators.</param>
[Requires(Permission.Operate)]
[RateLimited(RateLimitPolicies.DashboardBroadcast)]
[Audited(AuditActions.DashboardAlertBroadcast)]
public sealed record BroadcastSystemAlertCommand(AlertLevel? Level, string? Message, string? Source, JsonElement? Metadata, Guid? OrgId)
    : ICommand<SystemAlertBroadcast>;

/// <param name="Success">Always true; a refusal is a problem.</param>
/// <param name="Alert">As it is told, and listed.</param>
public sealed record SystemAlertBroadcast(bool Success, string Message, DashboardAlertView Alert);

internal sealed class BroadcastSystemAlertValidator : AbstractValidator<BroadcastSystemAlertCommand>
{
    public BroadcastSystemAlertValidator()
    {
        RuleFor(command => command.Level).NotNull();
        RuleFor(command => command.Message).NotEmpty().MaximumLength(BroadcastRules.MaximumMessage)
            .Must(message => message?.Contains('\0', StringComparison.Ordinal) != true).WithMessage("Text must not contain NUL characters.");
        RuleFor(command => command.Source).NotEmpty().Matches(BroadcastRules.Name).WithMessage("Up to 100 letters, digits, spaces and _.:/- .");
        RuleFor(command => command.Metadata).IsObject();
    }
}

/// <summary>The alert is an event of the log as well: that is how it reaches those who watch, on every node, once.</summary>
internal sealed class BroadcastSystemAlertHandler(IVtpDb db, TenantScope tenant, ICaller caller, TimeProvider clock)
    : IRequestHandler<BroadcastSystemAlertCommand, Result<SystemAlertBroadcast>>
{
    public async Task<Result<SystemAlertBroadcast>> Handle(BroadcastSystemAlertCommand request, CancellationToken cancellationToken)
    {
        tenant.EnterSystem();
        OrganizationId? organization = request.OrgId is { } id ? new(id) : null;
        if (organization is not null && !await db.Organizations.OfAllTenants().AnyAsync(one => one.Id == organization, cancellationToken))
        {
            return OrganizationRefusals.NotFound;
        }

        var (metadata, now) = (DashboardMessages.Signed(request.Metadata, caller), clock.GetUtcNow());
        var alert = DashboardAlert.Raise(organization, request.Level!.Value, request.Message!, request.Source!, metadata, caller.SignedIn?.AccountId.Value, now);
        db.DashboardAlerts.Add(alert);
        await db.SaveChangesAsync(cancellationToken);
        return new SystemAlertBroadcast(true, "The alert was sent.", new DashboardAlertView(alert.Id, alert.Level, alert.Message, alert.Origin, now, metadata));
    }
}
