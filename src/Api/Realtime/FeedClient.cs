using System.Net.WebSockets;
using System.Threading.Channels;
using Vtp.Application.Tracker.Relay;

namespace Vtp.Api.Realtime;

/// <summary>Why the server lets a client of the feed go, as WebSocket's close codes say it.</summary>
internal sealed record FeedClose(int Code, string Reason)
{
    public static readonly FeedClose ClientGone = new(1000, "");
    public static readonly FeedClose GoingAway = new(1001, "The server is going away.");
    public static readonly FeedClose TooBig = new(1009, "The feed is for listening.");
    public static readonly FeedClose TooSlow = new(1013, "Events were not taken in time.");
    public static readonly FeedClose NotAdmitted = new(4003, "The credential is no longer good.");
}

/// <summary>One listener: a queue of frames, and the socket that they go out by.</summary>
internal sealed class FeedClient(FeedSeat seat, WebSocket socket, HttpContext context)
{
    private const int MostQueued = 256;
    private const int MostSaid = 512;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly Channel<byte[]> _frames =
        Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MostQueued) { SingleReader = true });

    private readonly TaskCompletionSource<FeedClose> _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FeedSeat Seat => seat;

    public void Offer(byte[] frame)
    {
        if (!_frames.Writer.TryWrite(frame))
        {
            Close(FeedClose.TooSlow);
        }
    }

    public void Close(FeedClose why)
    {
        if (_closing.TrySetResult(why))
        {
            _frames.Writer.TryComplete();
        }
    }

    public async Task RunAsync()
    {
        var (reading, writing) = (ReadAsync(), WriteAsync());
        var why = await _closing.Task;
        if (await Task.WhenAny(writing, Task.Delay(Farewell)) != writing)
        {
            Cut();
        }

        await writing;
        await CloseAsync(why);
        await Task.WhenAny(reading, Task.Delay(Farewell));
        Cut();
        await reading;
    }

    /// <summary>What it says is nothing to anybody; that it is little, and that it goes on living, is.</summary>
    private async Task ReadAsync()
    {
        var (scratch, said) = (new byte[MostSaid], 0);
        try
        {
            while (socket.State is WebSocketState.Open or WebSocketState.CloseSent)
            {
                var result = await socket.ReceiveAsync(scratch.AsMemory(), context.RequestAborted);
                said = result.EndOfMessage ? 0 : said + result.Count;
                if (said >= MostSaid)
                {
                    Close(FeedClose.TooBig);
                }
            }
        }
        catch (Exception exception) when (IsOver(exception))
        {
            Close(FeedClose.ClientGone);
        }

        Close(FeedClose.ClientGone);
    }

    private async Task WriteAsync()
    {
        try
        {
            while (await _frames.Reader.WaitToReadAsync())
            {
                while (!_closing.Task.IsCompleted && _frames.Reader.TryRead(out var frame))
                {
                    using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
                    patience.CancelAfter(Patience);
                    await socket.SendAsync(frame.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, patience.Token);
                }

                if (_closing.Task.IsCompleted)
                {
                    return;
                }
            }
        }
        catch (Exception exception) when (IsOver(exception))
        {
            Close(FeedClose.TooSlow);
        }
    }

    private async Task CloseAsync(FeedClose why)
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

    private static bool IsOver(Exception exception) =>
        exception is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException;

    private void Cut()
    {
        socket.Abort();
        context.Abort();
    }
}
