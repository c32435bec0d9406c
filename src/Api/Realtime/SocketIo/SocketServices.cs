using System.Collections.Concurrent;
using Vtp.Api.Realtime.EngineIo;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Realtime;

namespace Vtp.Api.Realtime.SocketIo;

/// <summary>What all sockets of this node share, and the list of them.</summary>
internal sealed partial class SocketServices(
    IEnumerable<SocketNamespace> namespaces,
    ITopics topics,
    IConnectionSessions sessions,
    IConnectionCredentials credentials,
    RealtimeOptions options,
    RealtimeMetrics metrics,
    IServiceScopeFactory scopes,
    TimeProvider clock,
    ILogger<SocketServices> logger)
{
    private static readonly Refusal Failed = new(RefusalKind.Busy, "server.failed", "Something went wrong on our side.");

    // As elsewhere among services, the last one that is registered under a name counts.
    private readonly Dictionary<string, SocketNamespace> _namespaces =
        namespaces.GroupBy(space => space.Name, StringComparer.Ordinal).ToDictionary(spaces => spaces.Key, spaces => spaces.Last(), StringComparer.Ordinal);

    private readonly ConcurrentDictionary<Socket, byte> _sockets = new();
    private readonly ConcurrentDictionary<string, int> _perOwner = new(StringComparer.Ordinal);

    public ITopics Topics { get; } = topics;

    public IConnectionSessions Sessions { get; } = sessions;

    public IConnectionCredentials Credentials { get; } = credentials;

    public RealtimeOptions Options { get; } = options;

    public RealtimeMetrics Metrics { get; } = metrics;

    public IServiceScopeFactory Scopes { get; } = scopes;

    public TimeProvider Clock { get; } = clock;

    public ILogger Logger { get; } = logger;

    public IEnumerable<Socket> Sockets => _sockets.Keys;

    public SocketNamespace? Find(string name) => _namespaces.GetValueOrDefault(name);

    public SocketClient Serve(EngineConnection connection) => new(this, connection);

    /// <returns>False: its caller has too many already.</returns>
    public bool TryAdd(Socket socket)
    {
        if (socket.Caller is { } caller && _perOwner.AddOrUpdate(caller.Owner, 1, static (_, count) => count + 1) > Options.ConnectionsPerCaller)
        {
            Forget(caller.Owner);
            return false;
        }

        _sockets[socket] = 0;
        return true;
    }

    public void Ended(Socket socket, string reason)
    {
        if (!_sockets.TryRemove(socket, out _))
        {
            return; // It was never let in.
        }

        if (socket.Caller is { } caller)
        {
            Forget(caller.Owner);
        }

        if (reason != Socket.Refused)
        {
            _ = LeaveAsync(socket, reason);
        }
    }

    /// <summary>A handler that fails is this server's fault, and the client is told no more than that.</summary>
    public async ValueTask<SocketReply> HandleAsync(Socket socket, SocketEvent happened, CancellationToken cancellationToken)
    {
        try
        {
            return await socket.Space.HandleAsync(socket, happened, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new SocketReply(null, Failed); // Nobody is there to read it.
        }
        catch (Exception exception)
        {
            LogHandlerFailed(happened.Name, socket.Space.Name, exception);
            return new SocketReply(null, Failed);
        }
    }

    private async Task LeaveAsync(Socket socket, string reason)
    {
        try
        {
            await Task.Yield();
            if (reason is "client namespace disconnect" or "server namespace disconnect" && socket.Secret is { } secret)
            {
                await Sessions.ForgetAsync(Socket.HashOf(secret), CancellationToken.None);
            }

            await socket.Space.DisconnectedAsync(socket, reason);
        }
        catch (Exception exception)
        {
            LogLeaveFailed(socket.Space.Name, exception);
        }
    }

    private void Forget(string owner)
    {
        while (_perOwner.TryGetValue(owner, out var count))
        {
            if (count <= 1 ? _perOwner.TryRemove(new(owner, count)) : _perOwner.TryUpdate(owner, count - 1, count))
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Event {Event} of namespace {Namespace} could not be handled")]
    private partial void LogHandlerFailed(string @event, string @namespace, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "A socket that left namespace {Namespace} could not be cleared away")]
    private partial void LogLeaveFailed(string @namespace, Exception exception);
}
