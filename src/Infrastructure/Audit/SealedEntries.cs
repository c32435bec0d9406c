namespace Vtp.Infrastructure.Audit;

/// <summary>
/// Tells of entries as they are sealed. Each is sealed once, by one node, behind its commit: whoever listens here hears of
/// everything once, about a second after it happened.
/// </summary>
internal sealed class SealedEntries
{
    /// <summary>Whether anybody wants to hear of a chain; the nil UUID is that of no organization.</summary>
    public Func<Guid, bool>? Wanted { private get; set; }

    /// <summary>In the order of their chain. It must not wait.</summary>
    public Action<IReadOnlyList<SealedEntry>>? Told { private get; set; }

    public bool AreWanted(Guid chain) => Wanted?.Invoke(chain) == true;

    public void Tell(IReadOnlyList<SealedEntry>? entries)
    {
        if (entries is { Count: > 0 })
        {
            Told?.Invoke(entries);
        }
    }
}

internal sealed record SealedEntry(
    Guid Id, Guid? OrganizationId, string Action, string Status, string ActorType, Guid? ActorId, Guid? TargetId, DateTimeOffset OccurredAt)
{
    public static SealedEntry Of(AuditRow row) => new(row.Id, row.OrganizationId, row.Action, row.Status, row.ActorType, row.ActorId, row.TargetId, row.OccurredAt);
}
