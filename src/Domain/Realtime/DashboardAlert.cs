using System.Text.Json;
using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Domain.Realtime;

public enum AlertLevel
{
    Info,
    Warning,
    Error,
    Critical,
}

/// <summary>What an administrator tells those who watch a dashboard: one organization's, or the installation's.</summary>
public sealed class DashboardAlert : Aggregate
{
    private DashboardAlert(Guid id, AlertLevel level, string message, string origin, DateTimeOffset createdAt) =>
        (Id, Level, Message, Origin, CreatedAt) = (id, level, message, origin, createdAt);

    public Guid Id { get; private set; }

    /// <summary>Null for the installation's own.</summary>
    public OrganizationId? OrganizationId { get; private set; }

    public AlertLevel Level { get; private set; }

    public string Message { get; private set; }

    /// <summary>What it is about, or what noticed it.</summary>
    public string Origin { get; private set; }

    /// <summary>JSON: an object.</summary>
    public string? Metadata { get; private set; }

    /// <summary>The account that sent it.</summary>
    public Guid? TriggeredBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public static DashboardAlert Raise(
        OrganizationId? organization, AlertLevel level, string message, string origin, JsonElement? metadata, Guid? triggeredBy, DateTimeOffset now)
    {
        var alert = new DashboardAlert(Uuid.NewVersion7(now), level, message, origin, now)
        {
            OrganizationId = organization,
            Metadata = metadata?.GetRawText(),
            TriggeredBy = triggeredBy,
        };
        alert.Raise(new DashboardAlertRaised(alert.Id, level, message, origin, metadata, triggeredBy));
        return alert;
    }

    public override EventSource Source() => new(OrganizationId ?? Tenancy.Organizations.OrganizationId.Installation, Project: null, Id.ToString());
}

[Event("dashboard.alert_raised", "An administrator of the installation told something to those who watch dashboards.")]
public sealed record DashboardAlertRaised(Guid Id, AlertLevel Level, string Message, string Source, JsonElement? Metadata, Guid? TriggeredBy);
