using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Vtp.Benchmarks;

/// <summary>One end of a relay, which costs next to nothing: its frames are made once, and what it hears it only counts.</summary>
internal sealed class RelayPeer : IDisposable
{
    // As peers of the field cut their messages.
    private const int FrameBytes = 4096;

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[256 * 1024];
    private long _heard;

    private RelayPeer(Socket socket) => _socket = socket;

    public long Heard => Volatile.Read(ref _heard);

    public static async Task<RelayPeer> ConnectAsync(Uri server, string path, CancellationToken ct, bool stalls = false)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (stalls)
        {
            socket.ReceiveBufferSize = 16 * FrameBytes;
        }

        await socket.ConnectAsync(server.Host, server.Port, ct);
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: {server.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"), ct);
        var peer = new RelayPeer(socket);
        var answer = new StringBuilder();
        var one = new byte[1];
        while (!answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await socket.ReceiveAsync(one, ct) == 0)
            {
                throw new InvalidOperationException("The server hung up.");
            }

            answer.Append((char)one[0]);
        }

        return answer.ToString().StartsWith("HTTP/1.1 101", StringComparison.Ordinal)
            ? peer
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{path} was answered with {answer.ToString().Split('\r')[0]}"));
    }

    /// <summary>One message in masked frames; the mask is zero, which changes nothing and is a mask all the same.</summary>
    public static byte[] Frames(string text)
    {
        var payload = Encoding.UTF8.GetBytes(text);
        using var frames = new MemoryStream();
        for (var start = 0; start < payload.Length; start += FrameBytes)
        {
            var length = Math.Min(FrameBytes, payload.Length - start);
            var isLast = start + length == payload.Length;
            frames.WriteByte((byte)((isLast ? 0x80 : 0) | (start == 0 ? 1 : 0)));
            frames.WriteByte((byte)(0x80 | (length < 126 ? length : 126)));
            if (length >= 126)
            {
                frames.WriteByte((byte)(length >> 8));
                frames.WriteByte((byte)length);
            }

            frames.Write([0, 0, 0, 0]);
            frames.Write(payload, start, length);
        }

        return frames.ToArray();
    }

    public async Task SendAsync(byte[] frames, CancellationToken ct)
    {
        for (var sent = 0; sent < frames.Length;)
        {
            sent += await _socket.SendAsync(frames.AsMemory(sent), ct);
        }
    }

    /// <summary>Again and again, until it is told to stop.</summary>
    public async Task FloodAsync(byte[] frames, CancellationToken ct)
    {
        try
        {
            while (true)
            {
                await SendAsync(frames, ct);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // That was all.
        }
    }

    public async Task HearAsync(CancellationToken ct)
    {
        try
        {
            while (await _socket.ReceiveAsync(_buffer, ct) is > 0 and var count)
            {
                Interlocked.Add(ref _heard, count);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // That was all.
        }
    }

    /// <summary>Some 160 KB a second, which is too little for what it is sent, and just enough not to be let go.</summary>
    public async Task HearLittleAsync(CancellationToken ct)
    {
        try
        {
            while (await _socket.ReceiveAsync(_buffer.AsMemory(0, 4 * FrameBytes), ct) > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), ct);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // That was all.
        }
    }

    public void Dispose() => _socket.Dispose();
}
