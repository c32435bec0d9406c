namespace Vtp.Unit.Notifications;

/// <summary>Always the same moment, with timers that run.</summary>
internal sealed class StoppedClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
