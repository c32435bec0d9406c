using System.Text.Json;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.SocketIo;

/// <summary>
/// What one product does in namespaces that it shares with others: which sockets it takes in, and its events. It may decline a
/// socket, which is then connected without it. Registered as a singleton, it is served.
/// </summary>
internal abstract class SocketFeature
{
    private readonly Dictionary<string, Func<Socket, object, SocketEvent, CancellationToken, ValueTask<SocketReply>>> _handlers = new(StringComparer.Ordinal);

    /// <summary>Each is registered with <see cref="RealtimeEndpoints.AddSharedNamespace"/>.</summary>
    public abstract IReadOnlyCollection<string> Namespaces { get; }

    public IEnumerable<string> Events => _handlers.Keys;

    /// <summary>Whether it says itself how the messages of this topic are sent, and to whom.</summary>
    public virtual bool Owns(string topic) => false;

    /// <summary>Of a topic of its own: the name of the event.</summary>
    public virtual string EventOf(TopicMessage message) => message.Publication.Name;

    /// <summary>Of a topic of its own: the JSON.</summary>
    public virtual ReadOnlyMemory<byte> DataOf(TopicMessage message) => message.Publication.Data;

    /// <summary>Of a topic of its own: whether this socket is told it at all.</summary>
    public virtual bool IsFor(Socket socket, TopicMessage message) => true;

    /// <returns>What it keeps of the socket; null: it declines.</returns>
    internal abstract ValueTask<object?> TakeInAsync(Socket socket, JsonElement auth, CancellationToken cancellationToken);

    internal abstract ValueTask<bool> MayGoOnAsync(Socket socket, object state, CancellationToken cancellationToken);

    internal abstract ValueTask LeftAsync(Socket socket, object state, string reason);

    internal ValueTask<SocketReply> HandleAsync(Socket socket, object state, SocketEvent happened, CancellationToken cancellationToken) =>
        _handlers[happened.Name](socket, state, happened, cancellationToken);

    private protected void Add(string name, Func<Socket, object, SocketEvent, CancellationToken, ValueTask<SocketReply>> handle) => _handlers.Add(name, handle);
}

/// <typeparam name="TState">What the feature keeps of each socket that it has taken in.</typeparam>
internal abstract class SocketFeature<TState> : SocketFeature
    where TState : class
{
    /// <param name="socket">Already with its caller. What it is sent, and what it joins, comes behind the acceptance.</param>
    /// <param name="auth">What the client gave along.</param>
    /// <param name="cancellationToken">Of the connection.</param>
    /// <returns>Null to decline it: it is connected nevertheless, and the feature's events do not exist for it.</returns>
    protected abstract ValueTask<TState?> ConnectAsync(Socket socket, JsonElement auth, CancellationToken cancellationToken);

    /// <summary>Asked twice a minute of each socket that follows something.</summary>
    /// <returns>False: it is sent away.</returns>
    protected virtual ValueTask<bool> MayGoOnAsync(Socket socket, TState state, CancellationToken cancellationToken) => ValueTask.FromResult(true);

    protected virtual ValueTask DisconnectedAsync(Socket socket, TState state, string reason) => default;

    protected void On(string name, Func<Socket, TState, SocketEvent, CancellationToken, ValueTask<SocketReply>> handle) =>
        Add(name, (socket, state, happened, cancellationToken) => handle(socket, (TState)state, happened, cancellationToken));

    /// <summary>An event whose first argument is an object. The answer is what its acknowledgement holds.</summary>
    protected void On<TPayload, TAnswer>(string name, Func<Socket, TState, TPayload, CancellationToken, ValueTask<Result<TAnswer>>> handle)
        where TPayload : notnull
        where TAnswer : notnull =>
        On(name, async (socket, state, happened, cancellationToken) => happened.Payload<TPayload>().TryGet(out var payload, out var refusal)
            ? SocketReply.Of(await handle(socket, state, payload, cancellationToken))
            : new SocketReply(null, refusal));

    internal sealed override async ValueTask<object?> TakeInAsync(Socket socket, JsonElement auth, CancellationToken cancellationToken) =>
        await ConnectAsync(socket, auth, cancellationToken);

    internal sealed override ValueTask<bool> MayGoOnAsync(Socket socket, object state, CancellationToken cancellationToken) =>
        MayGoOnAsync(socket, (TState)state, cancellationToken);

    internal sealed override ValueTask LeftAsync(Socket socket, object state, string reason) => DisconnectedAsync(socket, (TState)state, reason);
}
