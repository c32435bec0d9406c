using System.Text.Json;
using Vtp.Domain.Audit;

namespace Vtp.Application.Audit;

/// <summary>One line of the trail.</summary>
/// <param name="OrgId">Null for what belongs to no organization.</param>
/// <param name="UserEmail">The address of a person, as it was then; the name of a key; null for the server and for people who are not known.</param>
/// <param name="ActorId">Of the account or of the key.</param>
/// <param name="Action">A name of docs/audit-actions.md.</param>
/// <param name="Resource">What it was done to.</param>
/// <param name="TraceId">That of the request's <c>X-Request-ID</c>.</param>
/// <param name="Reason">The refusal's code, when it was refused.</param>
/// <param name="Changes">What was before and after, without what is secret.</param>
/// <param name="Sequence">Its place in its organization's chain, from 1; null for about a second, until it is sealed.</param>
/// <param name="Hash">SHA-256, in lower hex; null until it is sealed.</param>
public sealed record AuditEntryView(
    Guid Id,
    Guid? OrgId,
    Guid? ProjectId,
    string? UserEmail,
    ActorType ActorType,
    Guid? ActorId,
    string Action,
    string Resource,
    Guid? ResourceId,
    string? ResourceName,
    string? IpAddress,
    string? UserAgent,
    string? TraceId,
    AuditOutcome Status,
    string? Reason,
    JsonElement? Changes,
    DateTimeOffset Timestamp,
    long? Sequence,
    string? Hash);

/// <summary>How often something occurred.</summary>
/// <param name="Id">The action, or the address of the person or name of the key.</param>
public sealed record AuditCount([property: System.Text.Json.Serialization.JsonPropertyName("_id")] string Id, long Count);

/// <summary>The trail, as far as the request may see it.</summary>
public interface IAuditLog
{
    /// <summary>Newest first.</summary>
    /// <param name="before">The last entry of the page before.</param>
    Task<IReadOnlyList<AuditEntryView>> FindAsync(
        AuditFilter filter, (DateTimeOffset Timestamp, Guid Id)? before, int limit, CancellationToken cancellationToken);

    /// <param name="from">The first day, in UTC.</param>
    Task<AuditTotals> CountAsync(DateOnly from, CancellationToken cancellationToken);
}

/// <summary>What <see cref="IAuditLog.CountAsync"/> counted.</summary>
public sealed record AuditTotals(long Actions, long Refused, IReadOnlyList<AuditCount> TopActions, IReadOnlyList<AuditCount> TopActors);
