using System.Text.Json;
using Vtp.Api.Realtime.EngineIo;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;

namespace Vtp.Api.Realtime.SocketIo;

/// <summary>The namespaces of one connection: lets its client in and out, and puts binary messages together with their events.</summary>
#pragma warning disable CA1001 // Its source of cancellation has neither a timer nor a wait handle: there is nothing to dispose of.
internal sealed class SocketClient(SocketServices services, EngineConnection connection) : IEngineClient
{
    private const int MaximumNamespaces = 16;

    // To check a credential costs more than to show one.
    private const int MaximumRefusals = 10;

    private static readonly Refusal SignInNeeded = new(RefusalKind.Unauthenticated, "auth.required", "Show a credential: auth.token, auth.apiKey or a ticket.");

    private readonly Dictionary<string, Socket> _sockets = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _over = new();
    private readonly List<ReadOnlyMemory<byte>> _attachments = [];
    private SocketPacket? _incomplete;
    private int _attachedBytes;
    private int _refusals;
    private long _aloneSince = services.Clock.GetTimestamp();

    public void Opened()
    {
        // Clients of protocol 4 are in the main namespace without asking.
        if (connection.Version == 3)
        {
            _ = ConnectFirstAsync();
        }
    }

    public async ValueTask<bool> ReceiveAsync(ReadOnlyMemory<byte> message, bool isBinary)
    {
        if (isBinary)
        {
            _attachedBytes += message.Length;
            if (_incomplete is not { } waiting || _attachedBytes > services.Options.MaximumPayload)
            {
                return false;
            }

            _attachments.Add(message.ToArray());
            if (_attachments.Count < waiting.Attachments)
            {
                return true;
            }

            ReadOnlyMemory<byte>[] attachments = [.. _attachments];
            _incomplete = null;
            return await DispatchAsync(waiting, attachments);
        }

        if (_incomplete is not null || SocketPacket.Read(message) is not { } packet)
        {
            return false;
        }

        if (packet.Attachments == 0)
        {
            return await DispatchAsync(packet, []);
        }

        (_incomplete, _attachedBytes) = (packet with { Data = packet.Data.ToArray() }, packet.Data.Length);
        _attachments.Clear();
        return true;
    }

    public void Closed(string reason)
    {
        Socket[] sockets;
        lock (_lock)
        {
            sockets = [.. _sockets.Values];
            _sockets.Clear();
        }

        _over.Cancel();
        foreach (var socket in sockets)
        {
            socket.End(reason);
        }
    }

    public void Tick(long now)
    {
        lock (_lock)
        {
            if (_sockets.Values.Any(socket => socket.IsConnected))
            {
                _aloneSince = now;
                return;
            }
        }

        if (services.Clock.GetElapsedTime(_aloneSince, now) > services.Options.ConnectTimeout)
        {
            connection.Close("connect timeout");
        }
    }

    private async Task ConnectFirstAsync()
    {
        if (services.Find("/") is null)
        {
            connection.Send(SocketPacket.Write(SocketPacketType.Connect, "/", id: null, [], []));
        }
        else if (!await ConnectAsync(new SocketPacket(SocketPacketType.Connect, "/", 0, Id: null, default)))
        {
            connection.Close("parse error");
        }
    }

    private async ValueTask<bool> DispatchAsync(SocketPacket packet, IReadOnlyList<ReadOnlyMemory<byte>> attachments)
    {
        if (packet.Type == SocketPacketType.Connect)
        {
            return await ConnectAsync(packet);
        }

        Socket? socket;
        lock (_lock)
        {
            socket = _sockets.GetValueOrDefault(packet.Namespace);
        }

        switch (packet.Type)
        {
            // The server has ended it, and the client did not know that yet.
            case not SocketPacketType.ConnectError when socket is { IsConnected: false }:
                return true;
            case SocketPacketType.Disconnect when socket is not null && packet.Data.IsEmpty:
                socket.End("client namespace disconnect");
                lock (_lock)
                {
                    _sockets.Remove(packet.Namespace);
                }

                return true;
            case SocketPacketType.Event or SocketPacketType.BinaryEvent when socket is not null && SocketEvent.Read(packet, attachments) is { } happened:
                await socket.ReceiveAsync(happened, packet.Id);
                return true;
            case SocketPacketType.Ack or SocketPacketType.BinaryAck when socket is not null && packet.Id is { } id && SocketEvent.Read(packet, attachments) is { } answer:
                socket.Acknowledge(id, answer);
                return true;
            default:
                return false;
        }
    }

    /// <returns>False: it is malformed, and not merely refused.</returns>
    private async ValueTask<bool> ConnectAsync(SocketPacket packet)
    {
        var auth = default(JsonElement);
        if (!packet.Data.IsEmpty && (!SocketEvent.TryParse(packet.Data, out auth) || auth.ValueKind != JsonValueKind.Object))
        {
            return false;
        }

        if (services.Find(packet.Namespace) is not { } space)
        {
            Refuse(packet.Namespace, "Invalid namespace", data: null);
            return true;
        }

        lock (_lock)
        {
            if (_sockets.Count >= MaximumNamespaces || (_sockets.TryGetValue(packet.Namespace, out var present) && present.IsConnected))
            {
                return false;
            }
        }

        try
        {
            if (await EnterAsync(space, auth) is { } refusal)
            {
                Refuse(space.Name, refusal.Detail, SocketProblem.Of(refusal));
                return ++_refusals < MaximumRefusals;
            }
        }
        catch (OperationCanceledException) when (_over.IsCancellationRequested)
        {
            return true; // The client has gone meanwhile.
        }

        return true;
    }

    private async Task<Refusal?> EnterAsync(SocketNamespace space, JsonElement auth)
    {
        if (!(await IdentifyAsync(auth, space)).TryGet(out var found, out var unbelieved))
        {
            return unbelieved;
        }

        var (caller, secret) = (found.Caller, TextIn(auth, "pid"));
        if (space.IsRecoverable && secret is not null && await ReturnAsync(space, caller, secret, Mark.Parse(TextIn(auth, "offset"))))
        {
            return null;
        }

        var socket = new Socket(services, connection, space, caller) { Secret = space.IsRecoverable && connection.Version == 4 ? OneTimeSecret.New() : null };
        return Add(socket) ?? await LetInAsync(socket, auth);
    }

    private async Task<Refusal?> LetInAsync(Socket socket, JsonElement auth)
    {
        if (await socket.Space.ConnectAsync(socket, auth, _over.Token) is { } refusal)
        {
            socket.End(Socket.Refused);
            lock (_lock)
            {
                _sockets.Remove(socket.Space.Name);
            }

            return refusal;
        }

        socket.Accept(Accepted(socket));
        return null;
    }

    /// <summary>Somebody who was here, or on another node, until just now.</summary>
    private async Task<bool> ReturnAsync(SocketNamespace space, Connected? caller, string secret, Mark? mark)
    {
        if (secret.Length > 100 || caller is null || await services.Sessions.FindAsync(Socket.HashOf(secret), _over.Token) is not { } session
            || session.Owner != caller.Owner || session.Namespace != space.Name)
        {
            return false;
        }

        JoinedTopic[] topics = [.. session.Topics.Select(topic => topic.From(mark))];
        var socket = new Socket(services, connection, space, caller, session.Sid) { Secret = secret };
        if (Add(socket) is not null)
        {
            return false;
        }

        var isBack = await space.MayGoOnAsync(socket, topics, _over.Token);
        if (isBack)
        {
            // Written down first: interrupted again, it goes on from here.
            await services.Sessions.SaveAsync(session with { Topics = topics }, _over.Token);
            isBack = await socket.ResumeAsync(topics, _over.Token);
        }

        services.Metrics.Recovered(isBack);
        if (isBack)
        {
            socket.Accept(Accepted(socket));
            return true;
        }

        lock (_lock)
        {
            _sockets.Remove(space.Name);
        }

        socket.End(Socket.Refused);
        return false;
    }

    private Refusal? Add(Socket socket)
    {
        if (!services.TryAdd(socket))
        {
            return RealtimeRefusals.TooManyConnections;
        }

        bool isClosed;
        lock (_lock)
        {
            isClosed = connection.IsClosed;
            if (!isClosed)
            {
                _sockets[socket.Space.Name] = socket;
            }
        }

        if (isClosed)
        {
            socket.End(Socket.Refused);
            throw new OperationCanceledException(_over.Token);
        }

        return null;
    }

    private async ValueTask<Result<Identified>> IdentifyAsync(JsonElement auth, SocketNamespace space)
    {
        var handshake = connection.Handshake;
        if (TextIn(auth, "token") is { } token)
        {
            return await services.Credentials.FromTokenAsync(token, _over.Token) is { } person ? new Identified(person) : Refusal.Unauthenticated;
        }

        if ((TextIn(auth, "apiKey") ?? TextIn(auth, "api_key")) is { } key)
        {
            return (await services.Credentials.FromKeyAsync(key, handshake.Address, _over.Token)).TryGet(out var program, out var refusal) ? new Identified(program) : refusal;
        }

        if (TextIn(auth, "ticket") is { } ticket)
        {
            return (await services.Credentials.FromTicketAsync(ticket, handshake.Address, _over.Token)).TryGet(out var holder, out var refusal) ? new Identified(holder) : refusal;
        }

        if (handshake.Rejected is { } rejected)
        {
            return rejected;
        }

        if (handshake.Identity is { } identity)
        {
            return await services.Credentials.IsGoodAsync(identity, _over.Token) ? new Identified(identity) : Refusal.Unauthenticated;
        }

        return space.IsOpenToAll ? new Identified(null) : SignInNeeded;
    }

    private IReadOnlyList<OutgoingPacket> Accepted(Socket socket) => SocketPacket.Write(
        SocketPacketType.Connect,
        socket.Space.Name,
        id: null,
        connection.Version == 3 ? [] : socket.Secret is null ? JsonSerializer.SerializeToUtf8Bytes(new { sid = socket.Id }) : JsonSerializer.SerializeToUtf8Bytes(new { sid = socket.Id, pid = socket.Secret }),
        []);

    /// <summary>Protocol 4 knows one value, which clients show as it is.</summary>
    private void Refuse(string space, string message, SocketProblem? data)
    {
        var json = connection.Version == 3 ? JsonSerializer.SerializeToUtf8Bytes(message)
            : data is null ? JsonSerializer.SerializeToUtf8Bytes(new { message })
            : JsonSerializer.SerializeToUtf8Bytes(new { message, data }, Http.Json.Options);
        connection.Send(SocketPacket.Write(SocketPacketType.ConnectError, space, id: null, json, []));
    }

    private static string? TextIn(JsonElement auth, string name) =>
        auth.ValueKind == JsonValueKind.Object && auth.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private sealed record Identified(Connected? Caller);
}
