using System.Buffers;
using Vtp.Infrastructure.Realtime;

namespace Vtp.Api.Realtime.EngineIo;

/// <summary>
/// One client, over polling or a WebSocket. What it is sent waits here, bounded; a WebSocket that falls idle costs neither a
/// thread, a timer nor a buffer.
/// </summary>
internal sealed class EngineConnection(string sid, int version, EngineHandshake handshake, RealtimeOptions options, RealtimeMetrics metrics, TimeProvider clock)
    : IThreadPoolWorkItem
{
    private const int WrittenAtOnce = 16 * 1024;

    private readonly Lock _lock = new();
    private readonly Queue<OutgoingPacket> _queue = new();
    private readonly Pace _pace = new(options, clock);
    private readonly Heartbeat _heartbeat = new(version, options, clock);
    private int _queuedBytes;
    private bool _isWriting;
    private long _writingSince;
    private Stream? _stream;
    private TaskCompletionSource<IReadOnlyList<OutgoingPacket>>? _poll;
    private TaskCompletionSource? _drained;
    private bool _isUpgrading;
    private int _isReceiving;
    private CancellationTokenSource? _reading;

    public string Sid { get; } = sid;

    public int Version { get; } = version;

    public EngineHandshake Handshake { get; } = handshake;

    public IEngineClient Client { get; set; } = null!;

    public bool IsClosed { get; private set; }

    public bool IsWebSocket => _stream is not null;

    public string Transport => IsWebSocket ? "websocket" : "polling";

    /// <summary>Ends when it is closed.</summary>
    public Action<EngineConnection>? Ended { get; set; }

    public int QueuedBytes => Volatile.Read(ref _queuedBytes);

    /// <summary>Never waits. A client that does not take what it is sent is closed.</summary>
    public void Send(OutgoingPacket packet)
    {
        lock (_lock)
        {
            Enqueue(packet);
        }

        AfterEnqueuing();
    }

    /// <summary>With nothing in between.</summary>
    public void Send(IReadOnlyList<OutgoingPacket> packets)
    {
        lock (_lock)
        {
            for (var index = 0; index < packets.Count; index++)
            {
                Enqueue(packets[index]);
            }
        }

        AfterEnqueuing();
    }

    /// <returns>False: another request polls already, which is an error of the client's.</returns>
    public bool TryPoll(CancellationToken cancellationToken, out Task<IReadOnlyList<OutgoingPacket>> polled)
    {
        TaskCompletionSource<IReadOnlyList<OutgoingPacket>> poll;
        lock (_lock)
        {
            polled = Task.FromResult<IReadOnlyList<OutgoingPacket>>([OutgoingPacket.Noop]);
            if (_poll is not null)
            {
                return false;
            }

            if (_isUpgrading)
            {
                return true;
            }

            if (_queue.Count > 0)
            {
                polled = Task.FromResult<IReadOnlyList<OutgoingPacket>>(TakeAll());
                return true;
            }

            _poll = poll = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        polled = UntilAsync(poll.Task, cancellationToken);
        return true;
    }

    /// <summary>A WebSocket was probed: who polls is sent away, so that nothing is under way when the client changes over.</summary>
    /// <returns>False: it has one already, or is about to.</returns>
    public bool BeginUpgrade()
    {
        lock (_lock)
        {
            if (_isUpgrading || IsWebSocket || IsClosed)
            {
                return false;
            }

            _isUpgrading = true;
            _poll?.TrySetResult([OutgoingPacket.Noop]);
            _poll = null;
            return true;
        }
    }

    /// <summary>It did not come about; the client polls on.</summary>
    public void CancelUpgrade()
    {
        lock (_lock)
        {
            _isUpgrading = false;
        }
    }

    /// <summary>From now on everything goes through the WebSocket, what has waited first.</summary>
    /// <param name="stream">Below it.</param>
    /// <param name="reading">Cancelled when the connection is closed.</param>
    public void Attach(Stream stream, CancellationTokenSource reading)
    {
        lock (_lock)
        {
            if (_isUpgrading)
            {
                metrics.Left("polling");
                metrics.Opened("websocket");
            }

            (_isUpgrading, _stream, _reading) = (false, stream, reading);
        }

        AfterEnqueuing();
    }

    /// <summary>One after the other: a client that posts twice at once, or posts and sends, has lost its way.</summary>
    /// <returns>False: the connection is to be closed.</returns>
    public async ValueTask<bool> ReceiveAsync(IncomingPacket packet)
    {
        if (Interlocked.Exchange(ref _isReceiving, 1) == 1)
        {
            return false;
        }

        try
        {
            _heartbeat.Heard();
            return await HandleAsync(packet);
        }
        finally
        {
            Volatile.Write(ref _isReceiving, 0);
        }
    }

    /// <summary>Sends pings, and closes whoever is silent, slow, or has not said what it wants.</summary>
    public void Tick(long now)
    {
        if (_writingSince is var since and not 0 && clock.GetElapsedTime(since, now) > options.StallTimeout)
        {
            Close("slow", OutgoingPacket.CloseFrame(1008));
            return;
        }

        switch (_heartbeat.Look(now))
        {
            case Heartbeat.State.Silent:
                Close("ping timeout");
                break;
            case Heartbeat.State.Due:
                Send(OutgoingPacket.Ping);
                break;
        }

        Client.Tick(now);
    }

    /// <summary>At once: nobody is waited for. Of what is queued the client gets what still fits.</summary>
    /// <param name="reason">In socket.io's words where it has one.</param>
    /// <param name="packet">The last one, if the transport still takes it.</param>
    public void Close(string reason, OutgoingPacket? packet = null)
    {
        lock (_lock)
        {
            if (IsClosed)
            {
                return;
            }

            IsClosed = true;
            if (reason == "slow")
            {
                _queue.Clear();
                Volatile.Write(ref _queuedBytes, 0);
            }

            // Each transport has an end of its own.
            var last = IsWebSocket
                ? packet is { IsRaw: true } ? packet : OutgoingPacket.CloseFrame(1000)
                : packet is { IsRaw: false } ? packet : OutgoingPacket.Close;
            _queue.Enqueue(last);
            _drained = IsWebSocket ? new(TaskCreationOptions.RunContinuationsAsynchronously) : null;
            if (_poll is { } poll)
            {
                _poll = null;
                poll.TrySetResult(TakeAll());
            }
        }

        metrics.Closed(reason);
        metrics.Left(Transport);
        AfterEnqueuing();
        _reading?.Cancel();
        Ended?.Invoke(this);
        Client.Closed(reason);
    }

    /// <summary>What was sent before the close, or the end of patience.</summary>
    public async Task DrainAsync(TimeSpan patience)
    {
        if (_drained is { } drained)
        {
            await drained.Task.WaitAsync(patience, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteAsync();

    private async ValueTask<bool> HandleAsync(IncomingPacket packet)
    {
        switch (packet.Type)
        {
            case '1':
                Close("transport close", packet: OutgoingPacket.Noop);
                return true;
            case '2' when Version == 3:
                Send(OutgoingPacket.Text([(byte)'3', .. packet.Data.Span]));
                return true;
            case '3' when Version == 4:
                return true;
            case IncomingPacket.Message:
                metrics.Received();
                if (!await _pace.KeepAsync())
                {
                    Close("too fast", OutgoingPacket.CloseFrame(1008));
                }

                return !IsClosed && await Client.ReceiveAsync(packet.Data, packet.IsBinary);
            default:
                return packet.Type is '6';
        }
    }

    private void Enqueue(OutgoingPacket packet)
    {
        if (!IsClosed)
        {
            _queue.Enqueue(packet);
            _queuedBytes += packet.Frame.Length;
        }
    }

    private void AfterEnqueuing()
    {
        var isSlow = false;
        lock (_lock)
        {
            if (_queuedBytes > options.MaximumQueuedBytes && !IsClosed)
            {
                isSlow = true;
            }
            else if (IsWebSocket)
            {
                if (_isWriting || _queue.Count == 0)
                {
                    return;
                }

                _isWriting = true;
            }
            else
            {
                if (_poll is { } poll && _queue.Count > 0)
                {
                    _poll = null;
                    poll.TrySetResult(TakeAll());
                }

                return;
            }
        }

        if (isSlow)
        {
            // Not here: whoever sends may be in the midst of telling many.
            ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Close("slow", OutgoingPacket.CloseFrame(1008)), this, preferLocal: false);
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private async Task<IReadOnlyList<OutgoingPacket>> UntilAsync(Task<IReadOnlyList<OutgoingPacket>> polled, CancellationToken cancellationToken)
    {
        await using var hungUp = cancellationToken.Register(() => Close("transport error"));
        return await polled;
    }

    private OutgoingPacket[] TakeAll()
    {
        OutgoingPacket[] all = [.. _queue.Where(packet => !packet.IsRaw)];
        _queue.Clear();
        _queuedBytes = 0;
        return all;
    }

    /// <summary>Until nothing waits: small frames are gathered, for a write is a call of the system.</summary>
    private async Task WriteAsync()
    {
        byte[]? gathered = null;
        try
        {
            while (true)
            {
                ReadOnlyMemory<byte> bytes;
                lock (_lock)
                {
                    if (_queue.Count == 0)
                    {
                        (_isWriting, _writingSince) = (false, 0);
                        _drained?.TrySetResult();
                        return;
                    }

                    var first = Take();
                    if (_queue.Count == 0 || first.Length + _queue.Peek().Frame.Length > WrittenAtOnce)
                    {
                        bytes = first;
                    }
                    else
                    {
                        gathered ??= ArrayPool<byte>.Shared.Rent(WrittenAtOnce);
                        first.CopyTo(gathered);
                        var length = first.Length;
                        while (_queue.TryPeek(out var next) && length + next.Frame.Length < WrittenAtOnce)
                        {
                            var frame = Take();
                            frame.CopyTo(gathered.AsMemory(length));
                            length += frame.Length;
                        }

                        bytes = gathered.AsMemory(0, length);
                    }
                }

                var writing = _stream!.WriteAsync(bytes);
                if (!writing.IsCompletedSuccessfully)
                {
                    _writingSince = clock.GetTimestamp();
                    await writing;
                    _writingSince = 0;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            _drained?.TrySetResult();
            Close("transport error"); // It has gone; nobody is there to be told.
        }
        finally
        {
            if (gathered is not null)
            {
                ArrayPool<byte>.Shared.Return(gathered);
            }
        }
    }

    private ReadOnlyMemory<byte> Take()
    {
        var packet = _queue.Dequeue();
        _queuedBytes -= packet.Frame.Length;
        return packet.IsBinary && Version == 3 ? packet.AsOfVersion3().Frame : packet.Frame;
    }
}
