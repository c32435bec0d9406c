namespace Vtp.Infrastructure.Jobs;

/// <summary>How this node runs jobs.</summary>
internal sealed class JobOptions
{
    /// <summary>With the time that cancelled jobs are given to end, and the last commit, 25 seconds.</summary>
    public static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(22);

    /// <summary>Jobs at once, of all kinds together. Each may hold a connection to the database.</summary>
    public int Concurrency { get; init; } = 32;

    /// <summary>For how long a node that stops lets its jobs run before it cancels them.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>For how long a job that was given up waits for somebody to decide.</summary>
    public TimeSpan KeepDead { get; init; } = TimeSpan.FromDays(30);
}
