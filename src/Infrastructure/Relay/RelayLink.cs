using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Vtp.Application.Tracker.Relay;
using Vtp.Infrastructure.Notices;

namespace Vtp.Infrastructure.Relay;

/// <summary>
/// One peer at the relay, without its socket: what it is sending, and what waits for it. What waits is bounded by bytes; what
/// does not fit stays on its sender's account, who reads on for as long as that is not spent.
/// </summary>
public sealed class RelayLink : IRelaySender
{
    private const int SmallestBuffer = 4096;
    private const int MostFaults = 5;

    private readonly RelayHub _hub;
    private readonly byte[] _from;
    private readonly RelayQueue _queue;
    private readonly Wakes _room = new();
    private readonly TaskCompletionSource<RelayClose> _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RelaySeat _seat;
    private byte[]? _buffer;
    private int _filled;
    private int _usual = SmallestBuffer;
    private int _faults;
    private long _begunAt;
    private long _writesSince;
    private long _account;

    internal RelayLink(RelayHub hub, RelaySeat seat, RelayTally tally)
    {
        Tally = tally;
        (_hub, _seat, Peer, _queue) = (hub, seat, new RelayPeer(seat.Project, seat.PeerId), new RelayQueue(hub.Options.QueueBytes, hub.Memory, hub.Clock));
        _from = Encoding.UTF8.GetBytes($"{{\"from\":{JsonSerializer.Serialize(seat.PeerId)},\"timestamp\":\"");
    }

    public RelaySeat Seat
    {
        get => Volatile.Read(ref _seat);
        internal set => Volatile.Write(ref _seat, value);
    }

    internal Guid Id { get; } = Guid.NewGuid();

    internal RelayPeer Peer { get; }

    internal RelayTally Tally { get; }

    /// <summary>What it sends to other nodes goes in its order.</summary>
    internal SemaphoreSlim Turn { get; } = new(1);

    /// <summary>Ends when the link does; says why.</summary>
    public Task<RelayClose> Closing => _closing.Task;

    /// <summary>Cuts the connection, which no message passes any more.</summary>
    public Action? Cut { get; set; }

    // Before what the peer sent come its id and the time, RFC 3339 with seven digits, and what closes both.
    private int Headroom => _from.Length + 28 + 2;

    /// <summary>Nothing is held for a peer that sends nothing: ask for room when something has come.</summary>
    public Memory<byte> Room()
    {
        if (_buffer is null)
        {
            (_buffer, _filled) = (_hub.Memory.Rent(Math.Max(_usual, Headroom + SmallestBuffer)), Headroom);
            Volatile.Write(ref _begunAt, _hub.Clock.GetTimestamp());
        }
        else if (_filled == _buffer.Length)
        {
            var larger = _hub.Memory.Rent(_buffer.Length * 2);
            _buffer.AsSpan(0, _filled).CopyTo(larger);
            _hub.Memory.Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsMemory(_filled);
    }

    /// <returns>False: the message is longer than messages may be.</returns>
    public bool Filled(int count)
    {
        _filled += count;
        return _filled - Headroom <= _hub.Options.MaximumMessageBytes;
    }

    /// <summary>The message is whole. Ends when the next one may be read.</summary>
    /// <param name="isUtf8">Whether somebody has made sure of it.</param>
    /// <param name="cancellationToken">Of the connection.</param>
    public async ValueTask EndMessageAsync(bool isUtf8, CancellationToken cancellationToken)
    {
        Room(); // Of an empty message nothing has been filled.
        var (buffer, length) = (Fitting(_buffer!), _filled - Headroom);
        (_buffer, _usual) = (null, _filled);
        Volatile.Write(ref _begunAt, 0);
        if (_closing.Task.IsCompleted)
        {
            _hub.Memory.Return(buffer); // It has no part in the relay any more.
            return;
        }

        Tally.Received(length);
        if (Accept(buffer, length, isUtf8) is { } message)
        {
            _hub.Route(this, message.To, message.Message);
        }

        while (Volatile.Read(ref _account) > _hub.Memory.ShareOf(_hub.Options.QueueBytes) || _hub.Memory.IsFull)
        {
            // Also what others give back to the node makes room.
            await _room.WaitAsync(_hub.Memory.IsFull ? RelayHub.Breath : RelayHub.LongBreath, cancellationToken);
        }
    }

    /// <summary>What goes out next; null when nothing will any more.</summary>
    public ValueTask<RelayMessage?> NextAsync() => _queue.NextAsync();

    /// <summary>Some of a message is about to go out: from now on the peer is waited for.</summary>
    public void Writes() => Volatile.Write(ref _writesSince, _hub.Clock.GetTimestamp());

    /// <summary>It has gone out.</summary>
    public void Written(RelayMessage message)
    {
        Volatile.Write(ref _writesSince, 0);
        Tally.Sent(message.Text.Length);
        _queue.Gone(message);
        message.Dispose();
    }

    /// <summary>It has not gone out, or not whole.</summary>
    public void Unwritten(RelayMessage message)
    {
        Volatile.Write(ref _writesSince, 0);
        RelayQueue.Refuse(message, RelayFault.Absent, hasWaited: false);
    }

    public void Close(RelayClose why)
    {
        if (!_closing.TrySetResult(why))
        {
            return;
        }

        _hub.Leave(this);
        _queue.Close(why.Drains, why == RelayClose.GoingAway ? RelayFault.GoingAway : RelayFault.Absent);
    }

    /// <summary>The connection is over: what it was sending will not be whole.</summary>
    public void Drop()
    {
        Close(RelayClose.ClientGone);
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            _hub.Memory.Return(buffer);
        }

        _queue.Close(drains: false, RelayFault.Absent);
    }

    /// <summary>Takes a message over, whatever becomes of it, unless the link is over.</summary>
    internal bool Offer(RelayMessage message) => _queue.Offer(message);

    /// <summary>Each second: who takes nothing, or sends nothing of what was begun, is let go; what has waited too long is told of.</summary>
    internal void Look(long now)
    {
        var (clock, patience) = (_hub.Clock, _hub.Options.Patience);
        var (writesSince, begunAt) = (Volatile.Read(ref _writesSince), Volatile.Read(ref _begunAt));
        if ((writesSince != 0 && clock.GetElapsedTime(writesSince, now) > patience)
            || (begunAt != 0 && clock.GetElapsedTime(begunAt, now) > RelayOptions.ArrivesWithin))
        {
            Close(RelayClose.TooSlow);
            Cut?.Invoke();
            return;
        }

        _queue.RefuseWaiting(RelayFault.Congested, message => clock.GetElapsedTime(message.WaitsSince, now) > patience);
    }

    void IRelaySender.Waits(RelayMessage message) => Interlocked.Add(ref _account, message.Weight);

    void IRelaySender.Goes(RelayMessage message, bool hasWaited)
    {
        if (hasWaited)
        {
            Interlocked.Add(ref _account, -message.Weight);
            _room.Wake();
        }
    }

    void IRelaySender.Refused(RelayMessage message, RelayFault fault, bool hasWaited)
    {
        ((IRelaySender)this).Goes(message, hasWaited);
        Tell(fault, message.RequestId.Span);
    }

    /// <summary>What waits is counted by its array.</summary>
    private byte[] Fitting(byte[] buffer)
    {
        if (buffer.Length <= 4 * Math.Max(_filled, SmallestBuffer))
        {
            return buffer;
        }

        var smaller = _hub.Memory.Rent(_filled);
        buffer.AsSpan(0, _filled).CopyTo(smaller);
        _hub.Memory.Return(buffer);
        return smaller;
    }

    private (string To, RelayMessage Message)? Accept(byte[] buffer, int length, bool isUtf8)
    {
        var text = buffer.AsSpan(Headroom, length);
        var facts = isUtf8 || Utf8.IsValid(text)
            ? RelayEnvelope.Read(text)
            : new RelayFacts(RelayKind.Malformed, "", default, 0, "The message is not UTF-8.");
        ReadOnlySpan<byte> requestId = text[facts.RequestId];
        switch (facts.Kind)
        {
            case RelayKind.Malformed:
                Tell(new RelayFault(400, facts.Fault!), default);
                if (++_faults == MostFaults)
                {
                    Close(RelayClose.Malformed);
                }

                break;
            case RelayKind.Ping:
                Say("relay_pong", requestId, payload: "");
                break;
            case not RelayKind.Request when !Seat.IsPeer:
                Tell(RelayFault.RequestsOnly, requestId);
                break;
            default:
                var start = Head(buffer, Headroom + facts.Body);
                var (offset, idLength) = facts.RequestId.GetOffsetAndLength(length);
                return (facts.To, new RelayMessage(_hub.Memory, buffer, start..(Headroom + length))
                {
                    Sender = this,
                    RequestId = buffer.AsMemory(Headroom + offset, idLength),
                });
        }

        _hub.Memory.Return(buffer);
        return null;
    }

    /// <summary>Writes who sends it and when before the rest of the object.</summary>
    /// <returns>Where the text begins.</returns>
    private int Head(byte[] buffer, int body)
    {
        var start = body - Headroom;
        _from.CopyTo(buffer, start);
        var isWritten = Utf8Formatter.TryFormat(_hub.Clock.GetUtcNow().UtcDateTime, buffer.AsSpan(start + _from.Length), out var written, new StandardFormat('O'));
        Debug.Assert(isWritten && written == 28, "2026-01-02T03:04:05.1234567Z");
        "\","u8.CopyTo(buffer.AsSpan(start + _from.Length + written));
        return start;
    }

    private void Tell(RelayFault fault, ReadOnlySpan<byte> requestId)
    {
        RelayMetrics.Refused(fault.Code);
        Say("relay_error", requestId, string.Create(CultureInfo.InvariantCulture, $",\"payload\":{{\"code\":{fault.Code},\"message\":\"{fault.Message}\"}}"));
    }

    /// <summary>The relay's own word. It waits on the account of whom it is for: who takes none is not read from.</summary>
    private void Say(string type, ReadOnlySpan<byte> requestId, string payload)
    {
        var named = requestId.IsEmpty ? "" : $",\"request_id\":{Encoding.UTF8.GetString(requestId)}";
        var text = string.Create(CultureInfo.InvariantCulture, $"{{\"type\":\"{type}\"{named}{payload},\"timestamp\":\"{_hub.Clock.GetUtcNow().UtcDateTime:O}\"}}");
        var buffer = _hub.Memory.Rent(Encoding.UTF8.GetByteCount(text));
        var message = new RelayMessage(_hub.Memory, buffer, ..Encoding.UTF8.GetBytes(text, buffer)) { Sender = new OwnWord(this) };
        if (!Offer(message))
        {
            message.Dispose();
        }
    }

    /// <summary>Of its fate nobody need hear.</summary>
    private sealed class OwnWord(RelayLink link) : IRelaySender
    {
        public void Waits(RelayMessage message) => ((IRelaySender)link).Waits(message);

        public void Goes(RelayMessage message, bool hasWaited) => ((IRelaySender)link).Goes(message, hasWaited);

        public void Refused(RelayMessage message, RelayFault fault, bool hasWaited) => ((IRelaySender)link).Goes(message, hasWaited);
    }
}
