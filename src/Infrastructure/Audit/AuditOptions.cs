namespace Vtp.Infrastructure.Audit;

/// <summary>Configuration: section Audit.</summary>
internal sealed class AuditOptions
{
    /// <summary>How often entries that were committed get their place in the chain.</summary>
    public TimeSpan SealEvery { get; set; } = TimeSpan.FromSeconds(1);
}
