using System.Net.WebSockets;
using Vtp.Infrastructure.Relay;

namespace Vtp.Api.Realtime;

/// <summary>The WebSocket of one peer: its frames become messages, and its messages frames.</summary>
internal sealed class RelaySocket(WebSocket socket, RelayLink link, HttpContext context)
{
    // A slow peer shows with each frame that it takes some, also of a message that takes it long.
    private const int FrameBytes = 64 * 1024;

    // For what is still to be sent, and for the peer's own farewell.
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    public async Task RunAsync()
    {
        link.Cut = Cut;
        var (reading, writing) = (ReadAsync(), WriteAsync());
        var why = await link.Closing;
        if (await Task.WhenAny(writing, Task.Delay(why.Drains ? Drain : Farewell)) != writing)
        {
            Cut();
        }

        await writing;
        await CloseAsync(why);
        await Task.WhenAny(reading, Task.Delay(Farewell));
        Cut();
        await reading;
        link.Drop();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (!link.Closing.IsCompleted && await ReadMessageAsync())
            {
                // The next one.
            }

            // Who is told to go may still be speaking, and hears it when it has done.
            link.Close(RelayClose.ClientGone);
            var scratch = new byte[FrameBytes / 16];
            while (socket.State is WebSocketState.Open or WebSocketState.CloseSent)
            {
                await socket.ReceiveAsync(scratch.AsMemory(), context.RequestAborted);
            }
        }
        catch (Exception exception) when (IsOver(exception))
        {
            link.Close(RelayClose.ClientGone);
        }
    }

    private async Task<bool> ReadMessageAsync()
    {
        // Nothing is held for it until something has come.
        var result = await socket.ReceiveAsync(Memory<byte>.Empty, context.RequestAborted);
        while (result.MessageType != WebSocketMessageType.Close)
        {
            if (!link.Filled(result.Count))
            {
                link.Close(RelayClose.TooBig);
                return false;
            }

            if (result.EndOfMessage)
            {
                await link.EndMessageAsync(isUtf8: result.MessageType == WebSocketMessageType.Text, context.RequestAborted);
                return true;
            }

            result = await socket.ReceiveAsync(link.Room(), context.RequestAborted);
        }

        return false;
    }

    private async Task WriteAsync()
    {
        while (await link.NextAsync() is { } message)
        {
            try
            {
                await SendAsync(message.Text);
                link.Written(message);
            }
            catch (Exception exception) when (IsOver(exception))
            {
                link.Unwritten(message);
                link.Close(RelayClose.ClientGone);
            }
        }
    }

    private async Task SendAsync(ReadOnlyMemory<byte> text)
    {
        for (; text.Length > FrameBytes; text = text[FrameBytes..])
        {
            link.Writes();
            await socket.SendAsync(text[..FrameBytes], WebSocketMessageType.Text, endOfMessage: false, context.RequestAborted);
        }

        link.Writes();
        await socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
    }

    /// <summary>It has hung up, or was cut off.</summary>
    private static bool IsOver(Exception exception) =>
        exception is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException;

    private async Task CloseAsync(RelayClose why)
    {
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                using var patience = new CancellationTokenSource(Farewell);
                await socket.CloseOutputAsync((WebSocketCloseStatus)why.Code, why.Reason, patience.Token);
            }
        }
        catch (Exception exception) when (IsOver(exception))
        {
            Cut();
        }
    }

    private void Cut()
    {
        socket.Abort();
        context.Abort();
    }
}
