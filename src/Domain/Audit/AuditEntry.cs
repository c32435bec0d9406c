using Vtp.Domain.Common;

namespace Vtp.Domain.Audit;

public enum AuditOutcome
{
    Succeeded,
    Refused,
}

/// <summary>One line of the trail: who did, or was refused, what; when and from where. Never what they sent.</summary>
public sealed class AuditEntry
{
    private AuditEntry(Guid id, string action, AuditOutcome outcome, DateTimeOffset occurredAt) =>
        (Id, Action, Outcome, OccurredAt) = (id, action, outcome, occurredAt);

    public Guid Id { get; private set; }

    /// <summary><c>area.what_happened</c>, from the use case's own declaration.</summary>
    public string Action { get; private set; }

    public AuditOutcome Outcome { get; private set; }

    /// <summary>The refusal's code, when it was refused.</summary>
    public string? Reason { get; private set; }

    public Guid? ActorId { get; private set; }

    public Guid? TargetId { get; private set; }

    public string? IpAddress { get; private set; }

    public string? UserAgent { get; private set; }

    public string? TraceId { get; private set; }

    public DateTimeOffset OccurredAt { get; private set; }

    public static AuditEntry Of(
        string action,
        string? reason,
        Guid? actorId,
        Guid? targetId,
        string? ipAddress,
        string? userAgent,
        string? traceId,
        DateTimeOffset now) =>
        new(Uuid.NewVersion7(now), action, reason is null ? AuditOutcome.Succeeded : AuditOutcome.Refused, now)
        {
            Reason = reason,
            ActorId = actorId,
            TargetId = targetId,
            IpAddress = ipAddress,
            UserAgent = userAgent,
            TraceId = traceId,
        };
}
