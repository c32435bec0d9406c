using System.Buffers;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Infrastructure.Realtime;

namespace Vtp.Api.Realtime.EngineIo;

/// <summary>
/// The HTTP side of Engine.IO, versions 4 and 3: handshake, polling, WebSocket, and the change from one to the other. Errors
/// are those of the protocol.
/// </summary>
internal sealed class EngineEndpoint(EngineServer server, IRateLimiter limiter, RealtimeOptions options, RealtimeMetrics metrics, TimeProvider clock)
{
    private const int TransportUnknown = 0;
    private const int SidUnknown = 1;
    private const int BadMethod = 2;
    private const int BadRequest = 3;
    private const int Forbidden = 4;
    private const int VersionUnknown = 5;

    private const int MaximumPacketsOfPost = 1000;
    private const int SmallBuffer = 4096;
    private static readonly TimeSpan UpgradesWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ClosesWithin = TimeSpan.FromSeconds(2);

    /// <param name="context">Of the request.</param>
    /// <param name="identify">Who is there, of the first request of a connection.</param>
    /// <param name="client">What the connection carries.</param>
    public async Task HandleAsync(HttpContext context, Func<HttpContext, Task<EngineHandshake>> identify, Func<EngineConnection, IEngineClient> client)
    {
        var query = context.Request.Query;
        var (isWebSocket, sid) = (query["transport"] == "websocket", query["sid"].ToString());
        if (!isWebSocket && query["transport"] != "polling")
        {
            await RefuseAsync(context, TransportUnknown, "Transport unknown");
        }
        else if (isWebSocket != context.WebSockets.IsWebSocketRequest)
        {
            await RefuseAsync(context, BadRequest, "Bad request");
        }
        else if (sid.Length > 0)
        {
            var connection = server.Find(sid);
            await (connection is null || connection.IsClosed ? RefuseAsync(context, SidUnknown, "Session ID unknown")
                : isWebSocket ? UpgradeAsync(context, connection)
                : connection.IsWebSocket ? RefuseAsync(context, BadRequest, "Bad request")
                : HttpMethods.IsGet(context.Request.Method) ? PollAsync(context, connection)
                : HttpMethods.IsPost(context.Request.Method) ? PostAsync(context, connection)
                : RefuseAsync(context, BadMethod, "Bad handshake method"));
        }
        else if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsConnect(context.Request.Method))
        {
            await RefuseAsync(context, BadMethod, "Bad handshake method");
        }
        else if (query["EIO"].ToString() is not ("4" or "3"))
        {
            await RefuseAsync(context, VersionUnknown, "Unsupported protocol version");
        }
        else if (await limiter.TakeAsync([new(RateLimitPolicies.Socket, RequestLimits.Network(HttpCaller.AddressOf(context)?.ToString()))], context.RequestAborted) is { IsAdmitted: false } full)
        {
            context.Response.Headers.RetryAfter = Math.Ceiling(full.RetryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            await RefuseAsync(context, Forbidden, "Too many connections", StatusCodes.Status429TooManyRequests);
        }
        else if (server.Open(query["EIO"] == "4" ? 4 : 3, await identify(context), client) is not { } opened)
        {
            context.Response.Headers.RetryAfter = "5";
            await RefuseAsync(context, Forbidden, "Too many connections", StatusCodes.Status503ServiceUnavailable);
        }
        else
        {
            await OpenAsync(context, opened, isWebSocket);
        }
    }

    public static Task ForbidAsync(HttpContext context) => RefuseAsync(context, Forbidden, "Forbidden", StatusCodes.Status403Forbidden);

    private async Task OpenAsync(HttpContext context, EngineConnection connection, bool isWebSocket)
    {
        metrics.Opened(isWebSocket ? "websocket" : "polling");
        var open = OutgoingPacket.Text(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $$"""0{"sid":"{{connection.Sid}}","upgrades":[{{(isWebSocket ? "" : "\"websocket\"")}}],"pingInterval":{{options.PingInterval.TotalMilliseconds:0}},"pingTimeout":{{options.PingTimeout.TotalMilliseconds:0}},"maxPayload":{{options.MaximumPayload}}}""")));
        connection.Send(open);
        if (!isWebSocket)
        {
            connection.Client.Opened();
            await PollAsync(context, connection);
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        Attach(context, connection, closed);
        connection.Client.Opened();
        await ReadAsync(context, socket, connection, closed.Token);
    }

    private static async Task PollAsync(HttpContext context, EngineConnection connection)
    {
        context.WaitsOnPurpose();
        if (!connection.TryPoll(context.RequestAborted, out var polled))
        {
            connection.Close("transport error");
            await RefuseAsync(context, BadRequest, "Bad request");
            return;
        }

        var packets = await polled;
        var body = new ArrayBufferWriter<byte>();
        PollingPayload.Write(body, packets, connection.Version);
        context.Response.ContentType = "text/plain; charset=UTF-8";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = body.WrittenCount;
        await context.Response.BodyWriter.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    private async Task PostAsync(HttpContext context, EngineConnection connection)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = options.MaximumPayload;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var isBinary = context.Request.ContentType?.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase) == true;
        var packets = PollingPayload.Read(body.GetBuffer().AsMemory(0, (int)body.Length), connection.Version, isBinary, MaximumPacketsOfPost);
        foreach (var packet in packets ?? [])
        {
            if (!await connection.ReceiveAsync(packet))
            {
                packets = null;
                break;
            }
        }

        if (packets is null)
        {
            connection.Close("parse error");
            await RefuseAsync(context, BadRequest, "Bad request");
            return;
        }

        context.Response.ContentType = "text/html";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync("ok", context.RequestAborted);
    }

    /// <summary>The client asks by <c>2probe</c> whether it gets through, and comes over with <c>5</c>.</summary>
    private async Task UpgradeAsync(HttpContext context, EngineConnection connection)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        using var patience = new CancellationTokenSource(UpgradesWithin, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(closed.Token, patience.Token);
        var raw = context.Features.Get<RawStreams>()!.Stream!;
        var hasBegun = false;
        try
        {
            if (!(await ReadTextAsync(socket, either.Token)).AsSpan().SequenceEqual("2probe"u8) || !(hasBegun = connection.BeginUpgrade()))
            {
                await raw.Inner.WriteAsync(OutgoingPacket.CloseFrame(1002).Frame, either.Token);
                return;
            }

            await raw.Inner.WriteAsync(OutgoingPacket.Probed.Frame, either.Token);
            if (!(await ReadTextAsync(socket, either.Token)).AsSpan().SequenceEqual("5"u8))
            {
                return;
            }

            Attach(context, connection, closed);
            hasBegun = false;
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException)
        {
            return; // It polls on, or has gone.
        }
        finally
        {
            if (hasBegun)
            {
                connection.CancelUpgrade();
            }
        }

        await ReadAsync(context, socket, connection, closed.Token);
    }

    private static void Attach(HttpContext context, EngineConnection connection, CancellationTokenSource closed)
    {
        var raw = context.Features.Get<RawStreams>()!.Stream!;
        raw.Made = frame => connection.Send(OutgoingPacket.Raw(frame.Span));
        connection.Attach(raw.Inner, closed);
        if (connection.IsClosed)
        {
            closed.Cancel();
        }
    }

    /// <summary>Until one of the two closes it.</summary>
    private async Task ReadAsync(HttpContext context, WebSocket socket, EngineConnection connection, CancellationToken cancellationToken)
    {
        var reason = "transport close";
        try
        {
            while (await ReadMessageAsync(socket, connection, cancellationToken))
            {
            }

            reason = connection.IsClosed ? reason : socket.State == WebSocketState.CloseReceived ? "transport close" : "parse error";
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException)
        {
            reason = "transport close"; // As a browser does that is closed.
        }

        connection.Close(reason);
        await connection.DrainAsync(ClosesWithin);
        context.Abort();
    }

    /// <returns>False: it was the last one.</returns>
    private async Task<bool> ReadMessageAsync(WebSocket socket, EngineConnection connection, CancellationToken cancellationToken)
    {
        // While nothing comes, no buffer is held.
        var first = await socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
        if (first.MessageType == WebSocketMessageType.Close || first.EndOfMessage)
        {
            return false; // A message without a type is none.
        }

        var buffer = ArrayPool<byte>.Shared.Rent(SmallBuffer);
        try
        {
            var length = 0;
            while (true)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
                length += read.Count;
                if (read.MessageType == WebSocketMessageType.Close || length > options.MaximumPayload)
                {
                    return false;
                }

                if (read.EndOfMessage)
                {
                    var message = buffer.AsMemory(0, length);
                    return read.MessageType == WebSocketMessageType.Binary
                        ? TryReadBinary(connection, message, out var binary) && await connection.ReceiveAsync(binary)
                        : IncomingPacket.TryRead(message, out var packet) && await connection.ReceiveAsync(packet);
                }

                if (length == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    buffer.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Version 3 puts the type before the bytes; version 4 has only messages.</summary>
    private static bool TryReadBinary(EngineConnection connection, ReadOnlyMemory<byte> message, out IncomingPacket packet)
    {
        var isTyped = connection.Version == 3;
        packet = new IncomingPacket(IncomingPacket.Message, isTyped && !message.IsEmpty ? message[1..] : message, IsBinary: true);
        return !isTyped || (!message.IsEmpty && message.Span[0] == 4);
    }

    private static async Task<byte[]> ReadTextAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[64];
        var read = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
        return read is { EndOfMessage: true, MessageType: WebSocketMessageType.Text } ? buffer[..read.Count] : [];
    }

    private static Task RefuseAsync(HttpContext context, int code, string message, int status = StatusCodes.Status400BadRequest)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync($$"""{"code":{{code}},"message":"{{message}}"}""", context.RequestAborted);
    }
}
