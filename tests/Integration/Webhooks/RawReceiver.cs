using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Vtp.Integration.Webhooks;

/// <summary>Reads a request whole and then does to the connection whatever a test wants done.</summary>
internal sealed class RawReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Stream, Socket, CancellationToken, Task> _answer;
    private readonly bool _readsFirst;
    private readonly Task _accepting;
    private int _connections;

    private RawReceiver(IPEndPoint endPoint, bool readsFirst, Func<Stream, Socket, CancellationToken, Task> answer)
    {
        (_answer, _readsFirst) = (answer, readsFirst);
        _listener = new TcpListener(endPoint);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The last one, head and body.</summary>
    public string Request { get; private set; } = "";

    public static RawReceiver Answering(string answer, IPEndPoint? at = null) =>
        Doing(async (stream, _, ct) => await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), ct), at);

    public static RawReceiver Doing(Func<Stream, Socket, CancellationToken, Task> answer, IPEndPoint? at = null, bool readsFirst = true) =>
        new(at ?? new IPEndPoint(IPAddress.Loopback, 0), readsFirst, answer);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                open.Add(ServeAsync(socket));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                await using var stream = new NetworkStream(socket);
                if (_readsFirst)
                {
                    await ReadAsync(stream);
                }

                await _answer(stream, socket, _stop.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            {
                // The sender hung up, which is what many of these tests are about.
                return;
            }
        }
    }

    private async Task ReadAsync(NetworkStream stream)
    {
        var (received, buffer) = (new StringBuilder(), new byte[4096]);
        while (!IsWhole(received.ToString()))
        {
            var read = await stream.ReadAsync(buffer, _stop.Token);
            if (read == 0)
            {
                return;
            }

            received.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        Request = received.ToString();
    }

    private static bool IsWhole(string request)
    {
        var head = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var length = request.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.Ordinal));
        return head >= 0 && request.Length >= head + 4 + (length is null ? 0 : int.Parse(length[16..]));
    }
}
