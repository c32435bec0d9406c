using Vtp.Infrastructure.Realtime;

namespace Vtp.Api.Realtime.EngineIo;

/// <summary>Whether somebody is there. Version 4 is pinged by the server; clients of version 3 ping by themselves.</summary>
internal sealed class Heartbeat(int version, RealtimeOptions options, TimeProvider clock)
{
    private long _pingedAt = clock.GetTimestamp();
    private long _heardAt = clock.GetTimestamp();
    private bool _awaitsSign;

    public enum State
    {
        Alive,

        /// <summary>A ping is to be sent now.</summary>
        Due,

        Silent,
    }

    /// <summary>Whatever comes is a sign of life.</summary>
    public void Heard() => _heardAt = clock.GetTimestamp();

    public State Look(long now)
    {
        if (version == 3)
        {
            return clock.GetElapsedTime(_heardAt, now) > options.PingInterval + options.PingTimeout ? State.Silent : State.Alive;
        }

        if (_awaitsSign && _heardAt < _pingedAt)
        {
            return clock.GetElapsedTime(_pingedAt, now) > options.PingTimeout ? State.Silent : State.Alive;
        }

        if (clock.GetElapsedTime(_pingedAt, now) < options.PingInterval)
        {
            return State.Alive;
        }

        (_pingedAt, _awaitsSign) = (now, true);
        return State.Due;
    }
}
