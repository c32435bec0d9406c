using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>What a dashboard shows when it is opened, from what is there.</summary>
public interface IDashboardReader
{
    /// <summary>Counted once for all who ask within five seconds.</summary>
    ValueTask<DashboardMetrics> MetricsAsync(DashboardScope scope, CancellationToken cancellationToken);

    /// <summary>What the audit trail holds of the last hour, newest first.</summary>
    Task<IReadOnlyList<DashboardActivity>> RecentActivityAsync(DashboardScope scope, int limit, CancellationToken cancellationToken);

    /// <summary>Whether the database, and Redis where there is one, answer just now.</summary>
    Task<(bool Database, bool? Redis)> ProbeAsync(CancellationToken cancellationToken);
}

/// <summary>Who watches dashboards, on all nodes.</summary>
public interface IDashboardAudience
{
    IReadOnlyList<DashboardWatcher> Watchers { get; }

    /// <summary>Dashboards that are watched by way of this node.</summary>
    IReadOnlyCollection<DashboardScope> Watched { get; }

    bool IsWatched(DashboardScope scope);

    /// <summary>Who is there already takes their own place again.</summary>
    /// <returns>False: the account has three of this kind already, all older.</returns>
    bool TryEnter(DashboardWatcher watcher);

    /// <summary>Whether it is one of its account's first three: two that came to different nodes at once may both have been let in.</summary>
    bool MayStay(DashboardWatcher watcher);

    void Leave(DashboardWatcher watcher);
}

/// <param name="Id">Of the stream, or of the socket; it stays the same when the client comes back.</param>
/// <param name="Kind"><see cref="Sse"/> or <see cref="WebSocket"/>.</param>
/// <param name="Scope">The nil UUID for the installation's dashboard.</param>
/// <param name="Role">As clients know it.</param>
public sealed record DashboardWatcher(string Id, string Kind, Guid Account, Guid Scope, string Role, DateTimeOffset Since)
{
    public const string Sse = "sse";
    public const string WebSocket = "websocket";
    public const int MaximumPerAccount = 3;
}

/// <summary>What clients ask of a stream that perhaps another node holds.</summary>
/// <param name="Account">Whose it must be.</param>
/// <param name="Filters">Its fields take the place of those before.</param>
public sealed record StreamFilters(string ClientId, Guid Account, JsonElement Filters);

/// <summary>Connections of those who watch.</summary>
public sealed record DashboardConnections(int Websocket, int Sse)
{
    public static DashboardConnections Of(IEnumerable<DashboardWatcher> watchers)
    {
        var kinds = watchers.CountBy(watcher => watcher.Kind).ToDictionary(StringComparer.Ordinal);
        return new DashboardConnections(kinds.GetValueOrDefault(DashboardWatcher.WebSocket), kinds.GetValueOrDefault(DashboardWatcher.Sse));
    }
}

/// <summary>How one way of watching does.</summary>
/// <param name="ConnectedClients">On all nodes.</param>
/// <param name="ClientsByRole">Likewise.</param>
/// <param name="IsMetricsBroadcastActive">Numbers are sent while somebody watches.</param>
public sealed record WatchingStats(
    string Status,
    [property: JsonPropertyName("connectedClients")] int ConnectedClients,
    [property: JsonPropertyName("clientsByRole")] IReadOnlyDictionary<string, int> ClientsByRole,
    [property: JsonPropertyName("isMetricsBroadcastActive")] bool IsMetricsBroadcastActive)
{
    internal static WatchingStats Of(IEnumerable<DashboardWatcher> watchers, string kind)
    {
        var found = watchers.Where(watcher => watcher.Kind == kind).ToList();
        return new WatchingStats(
            DashboardHealth.Healthy, found.Count, found.CountBy(watcher => watcher.Role).ToDictionary(StringComparer.Ordinal), found.Count > 0);
    }
}
