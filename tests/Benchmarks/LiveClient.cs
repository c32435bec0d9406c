using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Vtp.Benchmarks;

/// <summary>
/// A client of Socket.IO over a WebSocket that costs as little as it can: it counts frames and reads the time out of them. The
/// server is what is measured.
/// </summary>
internal sealed class LiveClient : IDisposable
{
    private const int LargestControl = 125;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[2048];
    private readonly List<TaskCompletionSource> _asked = [];
    private readonly Queue<string> _unread = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource<string>? _text;
    private int _length;

    public long Received { get; private set; }

    /// <summary>Told how long a message took, in ticks of the stopwatch.</summary>
    public Action<long>? Took { get; set; }

    public static async Task<LiveClient> OpenAsync(Uri url, CancellationToken ct)
    {
        var client = new LiveClient();
        await client._socket.ConnectAsync(url.Host, url.Port, ct);
        await client._socket.SendAsync(
            Encoding.ASCII.GetBytes(
                $"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {url.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
            ct);
        await client.ReadUntilAsync("\r\n\r\n"u8.ToArray(), ct);
        _ = client.ReadAsync(ct);
        await client.ExpectAsync("0{", "40/bench,", ct);
        await client.ExpectAsync("40/bench,", null, ct);
        return client;
    }

    public async Task AskAsync(string packet, int id, CancellationToken ct)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            while (_asked.Count <= id)
            {
                _asked.Add(null!);
            }

            _asked[id] = asked;
        }

        await SendAsync(packet, ct);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(60), ct);
    }

    public void Dispose() => _socket.Dispose();

    private async Task ExpectAsync(string beginning, string? answer, CancellationToken ct)
    {
        Task<string> next;
        lock (_lock)
        {
            _text = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            next = _text.Task;
            if (_unread.TryDequeue(out var unread))
            {
                _text.SetResult(unread);
            }
        }

        var text = await next.WaitAsync(TimeSpan.FromSeconds(60), ct);
        if (!text.StartsWith(beginning, StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"Expected {beginning}, and was told {text}.");
        }

        if (answer is not null)
        {
            await SendAsync(answer, ct);
        }
    }

    private async Task SendAsync(string text, CancellationToken ct)
    {
        var payload = Encoding.UTF8.GetBytes(text);
        byte[] frame = payload.Length <= LargestControl
            ? [0x81, (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload]
            : [0x81, 0xfe, (byte)(payload.Length >> 8), (byte)payload.Length, 0, 0, 0, 0, .. payload];
        await _socket.SendAsync(frame, ct);
    }

    private async Task ReadUntilAsync(byte[] end, CancellationToken ct)
    {
        int at;
        while ((at = _buffer.AsSpan(0, _length).IndexOf(end)) < 0)
        {
            _length += await _socket.ReceiveAsync(_buffer.AsMemory(_length), ct);
        }

        _buffer.AsSpan((at + end.Length)..(_length)).CopyTo(_buffer);
        _length -= at + end.Length;
    }

    private async Task ReadAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                var read = Parse();
                _buffer.AsSpan(read.._length).CopyTo(_buffer);
                _length -= read;
                var received = await _socket.ReceiveAsync(_buffer.AsMemory(_length), ct);
                if (received == 0)
                {
                    return;
                }

                _length += received;
            }
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // It was closed, by whichever side.
        }
    }

    private int Parse()
    {
        var at = 0;
        while (_length - at >= 2)
        {
            var (header, length) = (2, (int)_buffer[at + 1]);
            if (length == 126)
            {
                if (_length - at < 4)
                {
                    break;
                }

                (header, length) = (4, BinaryPrimitives.ReadUInt16BigEndian(_buffer.AsSpan(at + 2)));
            }

            if (_length - at < header + length)
            {
                break;
            }

            Handle(_buffer.AsSpan(at + header, length));
            at += header + length;
        }

        return at;
    }

    private void Handle(ReadOnlySpan<byte> packet)
    {
        if (packet.StartsWith("42/bench,["u8))
        {
            // 42/bench,["m","<ticks> ...
            var text = packet[15..];
            if (System.Buffers.Text.Utf8Parser.TryParse(text, out long sent, out _))
            {
                Received++;
                Took?.Invoke(Stopwatch.GetTimestamp() - sent);
            }
        }
        else if (packet.StartsWith("43/bench,"u8) && System.Buffers.Text.Utf8Parser.TryParse(packet[9..], out int id, out _))
        {
            lock (_lock)
            {
                _asked[id].TrySetResult();
            }
        }
        else if (packet is [(byte)'2'])
        {
            _ = SendAsync("3", CancellationToken.None);
        }
        else
        {
            var text = Encoding.UTF8.GetString(packet);
            lock (_lock)
            {
                if (_text?.TrySetResult(text) != true)
                {
                    _unread.Enqueue(text);
                }
            }
        }
    }
}
