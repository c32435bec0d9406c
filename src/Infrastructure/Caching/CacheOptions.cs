namespace Vtp.Infrastructure.Caching;

/// <summary>Section <c>Cache</c>.</summary>
internal sealed class CacheOptions
{
    /// <summary>Stands before every key in Redis, so that several installations may share one.</summary>
    public string Prefix { get; set; } = "vtp";

    /// <summary>Answers that this node keeps in memory, and about how many bytes of them.</summary>
    public int MaximumEntries { get; set; } = 10_000;

    public long MaximumBytes { get; set; } = 64 << 20;

    /// <summary>For how long whoever could have an older answer waits for a new one.</summary>
    public TimeSpan SoftTimeout { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>For how long everybody else does.</summary>
    public TimeSpan HardTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many of the most used projects a node reads when it starts; 0 for none.</summary>
    public int WarmProjects { get; set; } = 500;
}
