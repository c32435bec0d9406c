using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tracker;

/// <summary>A client of one of the tracker's sockets.</summary>
internal sealed class RelayClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[2 << 20];

    public WebSocket Socket => _socket;

    /// <param name="api">The server.</param>
    /// <param name="path">With its query.</param>
    /// <param name="key">For X-API-Key.</param>
    /// <param name="stalls">It takes as little as a socket can before anybody reads from it.</param>
    /// <param name="headers">Beside it.</param>
    public static async Task<RelayClient> ConnectAsync(VtpApi api, string path, string? key = null, bool stalls = false, params (string Name, string Value)[] headers)
    {
        var client = new RelayClient();
        if (key is not null)
        {
            client._socket.Options.SetRequestHeader("X-API-Key", key);
        }

        foreach (var (name, value) in headers)
        {
            client._socket.Options.SetRequestHeader(name, value);
        }

        client._socket.Options.CollectHttpResponseDetails = true;
        using var deadline = new CancellationTokenSource(Patience);
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler { ConnectCallback = (context, ct) => OpenAsync(context.DnsEndPoint, stalls, ct), UseCookies = false });
        try
        {
            await client._socket.ConnectAsync(new Uri($"{api.Url.AbsoluteUri.TrimEnd('/').Replace("http", "ws", StringComparison.Ordinal)}{path}"), invoker, deadline.Token);
        }
        catch (WebSocketException) when (client._socket.HttpStatusCode is not default(HttpStatusCode))
        {
            throw new HandshakeRefused(client._socket.HttpStatusCode);
        }

        return client;
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    /// <param name="text">One message.</param>
    /// <param name="frame">Bytes of each frame of it; all in one when absent.</param>
    /// <param name="type">Text unless it says otherwise.</param>
    public async Task SendAsync(ReadOnlyMemory<byte> text, int frame = int.MaxValue, WebSocketMessageType type = WebSocketMessageType.Text)
    {
        using var deadline = new CancellationTokenSource(Patience);
        for (; text.Length > frame; text = text[frame..])
        {
            await _socket.SendAsync(text[..frame], type, endOfMessage: false, deadline.Token);
        }

        await _socket.SendAsync(text, type, endOfMessage: true, deadline.Token);
    }

    public Task AskAsync(string to, string requestId) =>
        SendAsync($$$"""{"type":"relay_chunk_request","to":"{{{to}}}","request_id":"{{{requestId}}}","payload":{"file_hash":"aa","chunk_index":0},"timestamp":"2026-01-01T00:00:00Z"}""");

    /// <summary>The next message; null when the server closes instead.</summary>
    public async Task<JsonObject?> HearAsync()
    {
        using var deadline = new CancellationTokenSource(Patience);
        for (var filled = 0; ;)
        {
            var result = await _socket.ReceiveAsync(_buffer.AsMemory(filled), deadline.Token);
            filled += result.Count;
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            result.MessageType.Should().Be(WebSocketMessageType.Text);
            if (result.EndOfMessage)
            {
                return JsonNode.Parse(_buffer.AsSpan(0, filled))!.AsObject();
            }
        }
    }

    /// <summary>The code that the server closes with; what it says before is passed over.</summary>
    public async Task<int> ClosedAsync()
    {
        while (await HearAsync() is not null)
        {
            // What was still under way.
        }

        return (int)_socket.CloseStatus!.Value;
    }

    public ValueTask DisposeAsync()
    {
        // As peers of the field do: without a farewell.
        _socket.Abort();
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async ValueTask<Stream> OpenAsync(DnsEndPoint server, bool stalls, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (stalls)
        {
            socket.ReceiveBufferSize = 4096;
        }

        await socket.ConnectAsync(server, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}

/// <summary>The server answered no to the handshake.</summary>
internal sealed class HandshakeRefused(HttpStatusCode status) : Exception($"The handshake was answered with {(int)status}.")
{
    public HttpStatusCode Status => status;
}
