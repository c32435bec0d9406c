namespace Vtp.Infrastructure.Audit;

/// <summary>Configuration: section Audit.</summary>
internal sealed class AuditOptions
{
    /// <summary>How often entries that were committed get their place in the chain.</summary>
    public TimeSpan SealEvery { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How old the last checkpoint of a growing chain gets before the next one is signed.</summary>
    public TimeSpan CheckpointEvery { get; set; } = TimeSpan.FromMinutes(1);
}
