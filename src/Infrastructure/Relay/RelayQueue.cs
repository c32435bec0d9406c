using System.Threading.Channels;

namespace Vtp.Infrastructure.Relay;

/// <summary>
/// What one peer is to be sent, in its order: first what has its place, which is so many bytes and no more, then what waits
/// for one on its senders' accounts.
/// </summary>
internal sealed class RelayQueue(long capacity, RelayMemory memory, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Queue<RelayMessage> _waiting = new();
    private readonly Channel<RelayMessage> _ready = Channel.CreateUnbounded<RelayMessage>();
    private long _bytes;
    private bool _isClosed;

    /// <summary>Takes a message over, whatever becomes of it.</summary>
    /// <returns>False: nothing is sent any more.</returns>
    public bool Offer(RelayMessage message)
    {
        bool waits;
        lock (_lock)
        {
            if (_isClosed)
            {
                return false;
            }

            waits = _waiting.Count > 0 || !Fits(message);
            if (waits)
            {
                message.WaitsSince = clock.GetTimestamp();
                message.Sender?.Waits(message);
                _waiting.Enqueue(message);
            }
            else
            {
                Place(message);
            }
        }

        if (!waits)
        {
            message.Sender?.Goes(message, hasWaited: false);
        }

        return true;
    }

    /// <returns>Null when nothing will come any more.</returns>
    public async ValueTask<RelayMessage?> NextAsync() => await _ready.Reader.WaitToReadAsync() && _ready.Reader.TryRead(out var message) ? message : null;

    /// <summary>What was next has gone out: there is room for others.</summary>
    public void Gone(RelayMessage message)
    {
        lock (_lock)
        {
            _bytes -= message.Weight;
        }

        while (true)
        {
            RelayMessage? next;
            lock (_lock)
            {
                if (_isClosed || !_waiting.TryPeek(out next) || !Fits(next))
                {
                    return;
                }

                _waiting.Dequeue();
                Place(next);
            }

            next.Sender?.Goes(next, hasWaited: true);
        }
    }

    /// <summary>Nothing is taken any more.</summary>
    /// <param name="drains">What has its place can still be had.</param>
    /// <param name="fault">What the senders of the rest are told.</param>
    public void Close(bool drains, RelayFault fault)
    {
        lock (_lock)
        {
            _isClosed = true;
            _ready.Writer.TryComplete();
        }

        while (!drains && _ready.Reader.TryRead(out var message))
        {
            Refuse(message, fault, hasWaited: false);
        }

        RefuseWaiting(fault, _ => true);
    }

    /// <summary>From the oldest on, as long as this is so.</summary>
    public void RefuseWaiting(RelayFault fault, Func<RelayMessage, bool> isOver)
    {
        while (true)
        {
            RelayMessage? next;
            lock (_lock)
            {
                if (!_waiting.TryPeek(out next) || !isOver(next))
                {
                    return;
                }

                _waiting.Dequeue();
            }

            Refuse(next, fault, hasWaited: true);
        }
    }

    public static void Refuse(RelayMessage message, RelayFault fault, bool hasWaited)
    {
        message.Sender?.Refused(message, fault, hasWaited);
        message.Dispose();
    }

    private bool Fits(RelayMessage message) => _bytes == 0 || _bytes + message.Weight <= memory.ShareOf(capacity);

    private void Place(RelayMessage message)
    {
        _bytes += message.Weight;
        _ready.Writer.TryWrite(message);
    }
}
