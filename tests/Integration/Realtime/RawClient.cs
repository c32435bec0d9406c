using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Realtime;

/// <summary>A WebSocket without a library on top, and the requests of polling.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly ClientWebSocket _socket = new();

    public static async Task<RawClient> OpenAsync(VtpApi api, string query, string? origin = null)
    {
        var client = new RawClient();
        client._socket.Options.KeepAliveInterval = TimeSpan.Zero;
        if (origin is not null)
        {
            client._socket.Options.SetRequestHeader("Origin", origin);
        }

        using var deadline = new CancellationTokenSource(Patience);
        await client._socket.ConnectAsync(new Uri($"ws://{api.Url.Authority}/socket.io/?{query}"), deadline.Token);
        return client;
    }

    /// <summary>In a namespace that is open to all, with the packets of the handshake behind it.</summary>
    public static async Task<RawClient> ConnectAsync(VtpApi api)
    {
        var client = await OpenAsync(api, "EIO=4&transport=websocket");
        await client.ReadAsync();
        await client.SendAsync("40");
        await client.ReadAsync();
        await client.ReadAsync();
        return client;
    }

    public static async Task<string> OpenSessionAsync(VtpApi api, string query = "EIO=4&transport=polling")
    {
        var text = await api.Http.GetStringAsync(new Uri($"/socket.io/?{query}", UriKind.Relative));
        return JsonDocument.Parse(text[text.IndexOf('{')..(text.IndexOf('}') + 1)]).RootElement.GetProperty("sid").GetString()!;
    }

    public async Task SendAsync(string text)
    {
        using var deadline = new CancellationTokenSource(Patience);
        await _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, deadline.Token);
    }

    public async Task SendAsync(params byte[] bytes)
    {
        using var deadline = new CancellationTokenSource(Patience);
        await _socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, deadline.Token);
    }

    /// <summary>The next message: text as it is, bytes as <c>01-02-03</c>, the end as null.</summary>
    /// <param name="withPings">Without them they are left out.</param>
    public async Task<string?> ReadAsync(bool withPings = false)
    {
        var buffer = new byte[4096];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult read;
            try
            {
                using var deadline = new CancellationTokenSource(Patience);
                do
                {
                    read = await _socket.ReceiveAsync(buffer.AsMemory(length), deadline.Token);
                    length += read.Count;
                    if (length == buffer.Length)
                    {
                        Array.Resize(ref buffer, 2 * length);
                    }
                }
                while (!read.EndOfMessage);
            }
            catch (WebSocketException)
            {
                return null;
            }

            if (read.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            var text = read.MessageType == WebSocketMessageType.Text ? Encoding.UTF8.GetString(buffer, 0, length) : BitConverter.ToString(buffer, 0, length);
            if (withPings || text != "2")
            {
                return text;
            }
        }
    }

    /// <summary>Everything up to the end.</summary>
    public async Task ShouldEndAsync()
    {
        while (await ReadAsync() is not null)
        {
        }
    }

    public void Dispose() => _socket.Dispose();
}
