using Vtp.Infrastructure.Realtime;

namespace Vtp.Api.Realtime.EngineIo;

/// <summary>How fast one client may send (GCRA, ITU-T I.371): who is faster is made to wait, which is not to be read from.</summary>
internal sealed class Pace(RealtimeOptions options, TimeProvider clock)
{
    private long _wholeAt;
    private long _overSince;

    /// <summary>Before each message. Not by two callers at once: a connection is read by one.</summary>
    /// <returns>False: it has been too fast for too long.</returns>
    public async ValueTask<bool> KeepAsync()
    {
        var now = clock.GetTimestamp();
        var interval = clock.TimestampFrequency / options.MessagesPerSecond;
        if (_wholeAt <= now)
        {
            (_wholeAt, _overSince) = (now, 0);
        }

        _wholeAt += interval;
        var wait = _wholeAt - now - (interval * (options.MessageBurst + 1L));
        if (wait <= 0)
        {
            return true;
        }

        _overSince = _overSince == 0 ? now : _overSince;
        if (clock.GetElapsedTime(_overSince, now) > options.ThrottledFor)
        {
            return false;
        }

        await Task.Delay(TimeSpan.FromSeconds((double)wait / clock.TimestampFrequency), clock);
        return true;
    }
}
