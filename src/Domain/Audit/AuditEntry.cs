using System.Text.Json.Serialization;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Domain.Audit;

public enum AuditOutcome
{
    [JsonStringEnumMemberName("Success")]
    Succeeded,

    [JsonStringEnumMemberName("Failed")]
    Refused,
}

public enum ActorType
{
    /// <summary>A person who has signed in.</summary>
    User,

    /// <summary>A program with a project's key.</summary>
    Key,

    /// <summary>The server by itself.</summary>
    System,

    /// <summary>Nobody whom we know.</summary>
    Anonymous,
}

/// <param name="Name">The address of a person, the name of a key. Where it is null, the table fills in a person's.</param>
public sealed record AuditActor(ActorType Type, Guid? Id, string? Name);

public sealed record AuditTarget(Guid? Id, string? Name);

/// <summary>Where a request came from.</summary>
public sealed record AuditOrigin(string? IpAddress, string? UserAgent, string? TraceId);

/// <param name="RetentionDays">For how long what is written now is kept.</param>
public sealed record AuditTrail(OrganizationId? Organization, ProjectId? Project, int RetentionDays);

/// <summary>One line of the trail: who did, or was refused, what; when and from where. Never what they sent.</summary>
public sealed class AuditEntry
{
    private AuditEntry(Guid id, string action, AuditOutcome outcome, DateTimeOffset occurredAt, DateTimeOffset keptUntil) =>
        (Id, Action, Outcome, OccurredAt, KeptUntil) = (id, action, outcome, occurredAt, keptUntil);

    public Guid Id { get; private set; }

    /// <summary>Null for what belongs to no organization: accounts, sessions, the installation.</summary>
    public OrganizationId? OrganizationId { get; private set; }

    public ProjectId? ProjectId { get; private set; }

    /// <summary>One of <see cref="AuditActions"/>.</summary>
    public string Action { get; private set; }

    public AuditOutcome Outcome { get; private set; }

    /// <summary>The refusal's code, when it was refused.</summary>
    public string? Reason { get; private set; }

    public ActorType ActorType { get; private set; }

    public Guid? ActorId { get; private set; }

    public string? ActorName { get; private set; }

    public Guid? TargetId { get; private set; }

    public string? TargetName { get; private set; }

    public string? IpAddress { get; private set; }

    public string? UserAgent { get; private set; }

    public string? TraceId { get; private set; }

    /// <summary>JSON: what the entities were before and after, without what is secret.</summary>
    public string? Changes { get; private set; }

    public DateTimeOffset OccurredAt { get; private set; }

    /// <summary>Decides its partition, which is dropped as a whole once this has passed.</summary>
    public DateTimeOffset KeptUntil { get; private set; }

    /// <summary>Its place in its organization's chain; given by the sealer about a second after the commit.</summary>
    public long? Sequence { get; private set; }

    public byte[]? PreviousHash { get; private set; }

    public byte[]? Hash { get; private set; }

    /// <summary>Shows that it was VTP that wrote it; nothing without one is sealed.</summary>
    public byte[]? Mark { get; private set; }

    public static AuditEntry Of(
        string action, string? reason, AuditActor actor, AuditTarget target, AuditOrigin origin, AuditTrail trail, DateTimeOffset now)
    {
        // PostgreSQL keeps microseconds; what is hashed must be what is read back.
        var occurredAt = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
        return new(
            Uuid.NewVersion7(now),
            action,
            reason is null ? AuditOutcome.Succeeded : AuditOutcome.Refused,
            occurredAt,
            occurredAt.AddDays(trail.RetentionDays))
        {
            OrganizationId = trail.Organization,
            ProjectId = trail.Project,
            Reason = reason,
            ActorType = actor.Type,
            ActorId = actor.Id,
            ActorName = actor.Name,
            TargetId = target.Id,
            TargetName = target.Name,
            IpAddress = origin.IpAddress,
            UserAgent = origin.UserAgent,
            TraceId = origin.TraceId,
        };
    }

    public void Describe(string? changes) => Changes = changes;

    /// <param name="mark">Over all of the above: the last that is done to it before it is saved.</param>
    public void MarkWith(byte[] mark) => Mark = mark;
}
