namespace Vtp.Integration.Fixture;

/// <summary>The real clock, ahead by as much as the test says.</summary>
public sealed class MovableClock : TimeProvider
{
    private long _ahead;
    private long _elapsed;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _ahead));

    public override long GetTimestamp() =>
        base.GetTimestamp() + (long)(TimeSpan.FromTicks(Interlocked.Read(ref _elapsed)).TotalSeconds * TimestampFrequency);

    /// <summary>Time passes.</summary>
    public void Advance(TimeSpan time)
    {
        Interlocked.Add(ref _ahead, time.Ticks);
        Interlocked.Add(ref _elapsed, time.Ticks);
    }

    /// <summary>Somebody sets the wall clock back; no time passes.</summary>
    public void SetBack(TimeSpan time) => Interlocked.Add(ref _ahead, -time.Ticks);
}
