namespace Vtp.Domain.Audit;

public enum AuditFindingKind
{
    /// <summary>An entry's content does not give its hash, or its hash is not the one that the next entry names.</summary>
    Edited,

    /// <summary>An entry that has no place in the chain: its sequence is taken, was dropped, or is none.</summary>
    Inserted,

    /// <summary>Entries are missing, and no signed retention says that they were dropped.</summary>
    Deleted,

    /// <summary>An entry stands elsewhere than its sequence says.</summary>
    Reordered,

    /// <summary>A signed checkpoint names a later entry than the last one that is there.</summary>
    CutOff,

    /// <summary>The hashes fit each other, but not what was signed.</summary>
    Rewritten,

    /// <summary>A statement is not signed by the key that it names, or not in the form that is agreed.</summary>
    BadSignature,

    /// <summary>A statement names a key that was not given.</summary>
    UnknownKey,

    /// <summary>An entry or a statement belongs to the chain of another organization.</summary>
    OtherOrganization,
}

/// <summary>One thing that is wrong with a chain, and where.</summary>
/// <param name="Sentence">For the person who reads it; holds nothing from the export but numbers, ids and times.</param>
public sealed record AuditFinding(AuditFindingKind Kind, string Sentence)
{
    /// <summary>The entry, or the first of several.</summary>
    public long? Sequence { get; init; }

    /// <summary>The last of several; null for one.</summary>
    public long? LastSequence { get; init; }

    /// <summary>The entry's id, where the entry is there.</summary>
    public Guid? Id { get; init; }
}

/// <summary>What was looked at.</summary>
/// <param name="Entries">Entries read.</param>
/// <param name="FirstSequence">Of the first entry that has its place.</param>
/// <param name="LastSequence">Of the last one.</param>
/// <param name="Dropped">Entries that are absent because a signed retention dropped them.</param>
/// <param name="Checkpoints">Checkpoints with a valid signature, those kept elsewhere included.</param>
/// <param name="LastCheckpoint">The highest sequence that a valid checkpoint names.</param>
/// <param name="LastCheckpointAt">When that one was signed.</param>
/// <param name="NotYetCovered">Entries after the last checkpoint: nothing is wrong with them, and nothing is proven yet.</param>
/// <param name="Unbound">Entries before a gap that no checkpoint of their own side of it covers: their hashes fit, no more.</param>
/// <param name="Findings">How many findings were reported.</param>
public sealed record AuditSummary(
    long Entries,
    long? FirstSequence,
    long? LastSequence,
    long Dropped,
    int Checkpoints,
    long? LastCheckpoint,
    DateTimeOffset? LastCheckpointAt,
    long NotYetCovered,
    long Unbound,
    long Findings);
