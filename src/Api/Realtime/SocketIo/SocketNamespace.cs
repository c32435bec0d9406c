using System.Text.Json;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.SocketIo;

/// <summary>
/// One namespace of Socket.IO, as a feature writes it: who may come in, and what is done with each event. There is one object
/// for all sockets; what belongs to a socket is in the socket. Registered as a singleton, it is served.
/// </summary>
internal abstract class SocketNamespace
{
    private readonly Dictionary<string, Func<Socket, SocketEvent, CancellationToken, ValueTask<SocketReply>>> _handlers = new(StringComparer.Ordinal);
    private readonly object[] _forms = [new(), new()];

    protected SocketNamespace() => On<Authenticate, Authenticated>("authenticate", RenewAsync);

    /// <summary>Begins with a slash.</summary>
    public abstract string Name { get; }

    /// <summary>Sockets that were interrupted go on where they were, on any node, and are told what they missed.</summary>
    public virtual bool IsRecoverable => false;

    /// <summary>Whether somebody may come in who has shown no credential.</summary>
    public virtual bool IsOpenToAll => false;

    /// <summary>The name of the event as which a message of a topic is sent.</summary>
    public virtual string EventOf(TopicMessage message) => message.Publication.Name;

    /// <summary>Its JSON: of most namespaces that of the message itself.</summary>
    public virtual ReadOnlyMemory<byte> DataOf(TopicMessage message) => message.Publication.Data;

    /// <summary>Whether this socket is told it at all.</summary>
    public virtual bool IsFor(Socket socket, TopicMessage message) => true;

    /// <param name="socket">Already with its caller. What it is sent, and what it joins, comes behind the acceptance.</param>
    /// <param name="auth">What the client gave along.</param>
    /// <param name="cancellationToken">Of the connection.</param>
    /// <returns>Null to accept it.</returns>
    public virtual ValueTask<Refusal?> ConnectAsync(Socket socket, JsonElement auth, CancellationToken cancellationToken) => default;

    /// <summary>Whether it may still follow these: asked when a socket comes back, and twice a minute of each.</summary>
    /// <returns>False: who comes back begins anew, and who is here is sent away.</returns>
    public virtual ValueTask<bool> MayGoOnAsync(Socket socket, IReadOnlyList<JoinedTopic> topics, CancellationToken cancellationToken) => ValueTask.FromResult(true);

    public virtual ValueTask DisconnectedAsync(Socket socket, string reason) => default;

    /// <summary>Compared by reference: messages are rendered once for all sockets of a namespace.</summary>
    internal object FormOf(bool withMark) => _forms[withMark ? 1 : 0];

    internal virtual ValueTask<SocketReply> HandleAsync(Socket socket, SocketEvent happened, CancellationToken cancellationToken) =>
        _handlers.TryGetValue(happened.Name, out var handler)
            ? handler(socket, happened, cancellationToken)
            : ValueTask.FromResult(new SocketReply(null, Unknown));

    internal static readonly Refusal Unknown = new(RefusalKind.NotFound, "realtime.event_unknown", "This namespace takes no such event.");

    protected void On(string name, Func<Socket, SocketEvent, CancellationToken, ValueTask<SocketReply>> handle) => _handlers.Add(name, handle);

    /// <summary>An event whose first argument is an object. The answer is what its acknowledgement holds.</summary>
    protected void On<TPayload, TAnswer>(string name, Func<Socket, TPayload, CancellationToken, ValueTask<Result<TAnswer>>> handle)
        where TPayload : notnull
        where TAnswer : notnull =>
        On(name, async (socket, happened, cancellationToken) => happened.Payload<TPayload>().TryGet(out var payload, out var refusal)
            ? SocketReply.Of(await handle(socket, payload, cancellationToken))
            : new SocketReply(null, refusal));

    /// <summary>A fresh access token, before the one that the socket came with expires.</summary>
    private static async ValueTask<Result<Authenticated>> RenewAsync(Socket socket, Authenticate shown, CancellationToken cancellationToken) =>
        shown.Token is { } token && await socket.RenewAsync(token, cancellationToken) is { } goodUntil ? new Authenticated(goodUntil) : Refusal.Unauthenticated;

    private sealed record Authenticate(string? Token);

    private sealed record Authenticated(DateTimeOffset GoodUntil);
}
