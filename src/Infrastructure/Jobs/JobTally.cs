namespace Vtp.Infrastructure.Jobs;

/// <summary>What became of runs on this node that the database has not been told yet. Only the worker's loop has it in hand.</summary>
internal sealed class JobTally(TimeProvider clock)
{
    private readonly Dictionary<(DateTimeOffset Minute, string Kind), (long Done, long Failed)> _counts = [];

    public void Done(string kind) => Add(kind, done: 1, failed: 0);

    public void Failed(string kind) => Add(kind, done: 0, failed: 1);

    /// <summary>In the order in which all nodes write them, so that none waits for another that waits for it.</summary>
    public IReadOnlyList<(DateTimeOffset Minute, string Kind, long Done, long Failed)> Counts =>
        [.. _counts.OrderBy(count => count.Key.Minute).ThenBy(count => count.Key.Kind, StringComparer.Ordinal)
            .Select(count => (count.Key.Minute, count.Key.Kind, count.Value.Done, count.Value.Failed))];

    /// <summary>The database knows them all.</summary>
    public void Clear() => _counts.Clear();

    /// <summary>The first moment of a minute.</summary>
    public static DateTimeOffset MinuteOf(DateTimeOffset moment) => new(moment.Ticks - (moment.Ticks % TimeSpan.TicksPerMinute), moment.Offset);

    private void Add(string kind, long done, long failed)
    {
        var key = (MinuteOf(clock.GetUtcNow()), kind);
        var count = _counts.GetValueOrDefault(key);
        _counts[key] = (count.Done + done, count.Failed + failed);
    }
}
