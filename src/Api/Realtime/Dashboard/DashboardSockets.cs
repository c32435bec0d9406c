using System.Collections.Concurrent;
using System.Text.Json;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.Dashboard;

/// <summary>Clients of Socket.IO that watch a dashboard, in whichever namespace they do.</summary>
internal sealed partial class DashboardSockets : IDisposable
{
    private const int RecentActivity = 50;

    private readonly IDashboardAudience _audience;
    private readonly IDashboardReader _dashboards;
    private readonly IEventWatch _watch;
    private readonly IServiceScopeFactory _scopes;
    private readonly TimeProvider _clock;
    private readonly ILogger<DashboardSockets> _logger;
    private readonly ConcurrentDictionary<Socket, Watching> _sockets = new();

    public DashboardSockets(
        IDashboardAudience audience, IDashboardReader dashboards, IEventWatch watch, IServiceScopeFactory scopes, TimeProvider clock, ILogger<DashboardSockets> logger)
    {
        (_audience, _dashboards, _watch, _scopes, _clock, _logger) = (audience, dashboards, watch, scopes, clock, logger);
        watch.Seen += OnSeen;
        Events = new Dictionary<string, Func<Socket, SocketEvent, CancellationToken, ValueTask<SocketReply>>>(StringComparer.Ordinal)
        {
            ["subscribe"] = SubscribeAsync,
            ["filter_change"] = FilterAsync,
            ["activity"] = (_, _, _) => ValueTask.FromResult(SocketReply.Nothing),
            ["ping"] = (socket, _, _) =>
            {
                socket.Emit("pong", new { timestamp = _clock.GetUtcNow().ToUnixTimeMilliseconds() });
                return ValueTask.FromResult(SocketReply.Nothing);
            },
        };
    }

    /// <summary>What such clients may send.</summary>
    public IReadOnlyDictionary<string, Func<Socket, SocketEvent, CancellationToken, ValueTask<SocketReply>>> Events { get; }

    public bool IsFor(Socket socket, TopicMessage message) =>
        !_sockets.TryGetValue(socket, out var watching) || watching.Filter == DashboardFilter.None || watching.Filter.Admits(DashboardNotice.Of(message));

    public async ValueTask<Refusal?> ConnectAsync(Socket socket, JsonElement auth, CancellationToken cancellationToken)
    {
        if (!ReadOrganization(auth).TryGet(out var asked, out var refusal)
            || !(await socket.SendAsync(asked, cancellationToken)).TryGet(out var seat, out refusal))
        {
            return refusal;
        }

        var watching = new Watching(seat, WatcherOf(socket, seat), DashboardFilter.None);
        if (!_audience.TryEnter(watching.Watcher))
        {
            return DashboardRefusals.TooManySockets;
        }

        _sockets[socket] = watching;
        await JoinAsync(socket, watching, seat.Streams, cancellationToken);
        var metrics = await _dashboards.MetricsAsync(seat.Scope, cancellationToken);
        var recent = await _dashboards.RecentActivityAsync(seat.Scope, RecentActivity, cancellationToken);
        var now = _clock.GetUtcNow();
        var initial = new { type = "initial_load", data = new { metrics, recentActivity = recent }, timestamp = now };
        socket.Emit("dashboard_data", JsonSerializer.SerializeToUtf8Bytes(initial, DashboardMessages.Json), []);
        return null;
    }

    public async ValueTask<bool> MayGoOnAsync(Socket socket, IReadOnlyList<JoinedTopic> topics, CancellationToken cancellationToken)
    {
        if (_sockets.TryGetValue(socket, out var known))
        {
            return _audience.MayStay(known.Watcher) && await DashboardStreamList.MayWatchAsync(_scopes, socket.Caller!, known.Seat.Scope, cancellationToken);
        }

        // It has come back: what it watched, and how narrowly, is in what it followed.
        if (topics is not [{ Interest: var interest }, ..]
            || !Guid.TryParse(interest.Topic.AsSpan(interest.Topic.IndexOf(':', StringComparison.Ordinal) + 1), out var id)
            || !(await socket.SendAsync(new OpenDashboardQuery(id == Guid.Empty ? null : id), cancellationToken)).TryGet(out var seat, out _)
            || seat.Scope.Id != id
            || !DashboardFilter.Parse(interest.Filter).TryGet(out var filter, out _))
        {
            return false;
        }

        var watching = new Watching(seat, WatcherOf(socket, seat), filter);
        if (!_audience.TryEnter(watching.Watcher))
        {
            return false;
        }

        _sockets[socket] = watching;
        return true;
    }

    public void Leave(Socket socket)
    {
        if (_sockets.TryRemove(socket, out var watching))
        {
            _audience.Leave(watching.Watcher);
        }
    }

    public void Dispose() => _watch.Seen -= OnSeen;

    private DashboardWatcher WatcherOf(Socket socket, DashboardSeat seat) =>
        new(socket.Id, DashboardWatcher.WebSocket, socket.Caller!.Person!.AccountId.Value, seat.Scope.Id, seat.Role, _clock.GetUtcNow());

    /// <summary>As older clients name it too.</summary>
    private static Result<OpenDashboardQuery> ReadOrganization(JsonElement auth)
    {
        foreach (var name in new[] { "org_id", "orgId", "organizationId" })
        {
            if (auth.ValueKind == JsonValueKind.Object && auth.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
            {
                return value.ValueKind == JsonValueKind.String && value.TryGetGuid(out var id)
                    ? new OpenDashboardQuery(id)
                    : Refusal.Field(name, "request.invalid", "This is no id of an organization.");
            }
        }

        return new OpenDashboardQuery(OrgId: null);
    }

    private static async ValueTask JoinAsync(Socket socket, Watching watching, IReadOnlyList<string> streams, CancellationToken cancellationToken)
    {
        var filter = watching.Filter == DashboardFilter.None ? null : watching.Filter.ToString();
        foreach (var interest in DashboardStreams.Interests(watching.Seat.Scope, [.. streams], filter))
        {
            // More than is followed already, never less: clients of old only ever added rooms.
            var names = socket.Topics.FirstOrDefault(topic => topic.Interest.Topic == interest.Topic)?.Interest.Names ?? [];
            await socket.JoinAsync(interest with { Names = [.. names.Union(interest.Names!, StringComparer.Ordinal)] }, since: null, cancellationToken);
        }
    }

    private async ValueTask<SocketReply> SubscribeAsync(Socket socket, SocketEvent happened, CancellationToken cancellationToken) =>
        happened.Payload<Subscribe>().TryGet(out var asked, out var refusal)
            ? SocketReply.Of(await SubscribeAsync(socket, asked, cancellationToken))
            : new SocketReply(null, refusal);

    private async ValueTask<Result<Subscribed>> SubscribeAsync(Socket socket, Subscribe asked, CancellationToken cancellationToken)
    {
        if (!_sockets.TryGetValue(socket, out var watching))
        {
            return Refusal.Forbidden; // It has gone meanwhile.
        }

        if (asked.Streams is not { Count: > 0 } streams || streams.Any(stream => !DashboardStreams.All.Contains(stream, StringComparer.Ordinal)))
        {
            return Refusal.Field("streams", "dashboard.stream_unknown", $"Name some of {string.Join(", ", DashboardStreams.All)}.");
        }

        if (streams.Any(stream => !watching.Seat.Streams.Contains(stream, StringComparer.Ordinal)))
        {
            return Refusal.Forbidden;
        }

        await JoinAsync(socket, watching, streams, cancellationToken);
        return new Subscribed(streams);
    }

    private async ValueTask<SocketReply> FilterAsync(Socket socket, SocketEvent happened, CancellationToken cancellationToken)
    {
        if (!_sockets.TryGetValue(socket, out var watching))
        {
            return new SocketReply(null, Refusal.Forbidden);
        }

        if (!watching.Filter.With(happened.Arguments is [var asked, ..] ? asked : default).TryGet(out var filter, out var refusal))
        {
            return new SocketReply(null, refusal);
        }

        var narrowed = watching with { Filter = filter };
        _sockets.TryUpdate(socket, narrowed, watching);
        foreach (var joined in socket.Topics)
        {
            await socket.JoinAsync(joined.Interest with { Filter = filter.ToString() }, since: null, cancellationToken);
        }

        return new SocketReply(new { filters = JsonElement.Parse(filter.ToString()) }, null);
    }

    private void OnSeen(object? sender, EventSeenEventArgs seen)
    {
        if (seen.Type.StartsWith("member.", StringComparison.Ordinal) || seen.Type.StartsWith("organization.", StringComparison.Ordinal))
        {
            _ = AskAgainAsync(seen.Organization);
        }
    }

    private async Task AskAgainAsync(Guid organization)
    {
        try
        {
            await Task.Yield();
            foreach (var (socket, watching) in _sockets)
            {
                if (watching.Seat.Scope.Id == organization && !await MayGoOnAsync(socket, socket.Topics, CancellationToken.None))
                {
                    socket.Disconnect(Refusal.Forbidden);
                }
            }
        }
        catch (Exception exception)
        {
            LogNotAsked(exception); // Each is asked again within half a minute.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "It could not be found out whether sockets may still watch a dashboard; trying again shortly")]
    private partial void LogNotAsked(Exception exception);

    private sealed record Subscribe(IReadOnlyList<string>? Streams);

    private sealed record Subscribed(IReadOnlyList<string> Streams);

    private sealed record Watching(DashboardSeat Seat, DashboardWatcher Watcher, DashboardFilter Filter);
}
