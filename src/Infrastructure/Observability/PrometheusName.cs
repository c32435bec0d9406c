using System.Text;

namespace Vtp.Infrastructure.Observability;

/// <param name="Tag">As the instrument has it.</param>
/// <param name="Label">As the page has it.</param>
/// <param name="Missing">Of a series without the tag.</param>
internal sealed record LabelName(string Tag, string Label, string Missing = "");

/// <summary>What an instrument is called on the page.</summary>
/// <param name="Family">Without the endings that its kind adds.</param>
/// <param name="Unit">A word of the unit's own, with which the family ends; else empty.</param>
internal sealed record PrometheusName(string Family, string Unit)
{
    /// <summary>Labels in a fixed order; null for whatever tags there are.</summary>
    public IReadOnlyList<LabelName>? Labels { get; private init; }

    /// <summary>Of a histogram: a counter of the same name for those who only count. Null for none.</summary>
    public string? CountedAs { get; private init; }

    /// <summary>It goes up and down, although its instrument calls itself a counter.</summary>
    public bool IsGauge { get; private init; }

    /// <summary>
    /// Names that dashboards know from elsewhere, by instrument: those of the tracker that VTP took the place of, and those
    /// that every client library of Prometheus has.
    /// </summary>
    private static readonly Dictionary<string, PrometheusName> Exact = new(StringComparer.Ordinal)
    {
        ["http.server.request.duration"] = new("p2p_tracker_http_request_duration_seconds", "seconds")
        {
            CountedAs = "p2p_tracker_http_requests",
            Labels =
            [
                new("http.request.method", "method"),
                new("http.route", "path", UnknownRoute),
                new("http.response.status_code", "status"),
            ],
        },
        ["vtp.relay.connections"] = new("p2p_tracker_relay_connections_active", "") { IsGauge = true },
        ["vtp.relay.messages"] = new("p2p_tracker_relay_messages", ""),
        ["vtp.feed.connections"] = new("p2p_tracker_ws_connections_active", "") { IsGauge = true },
        ["vtp.http.auth_failures"] = new("p2p_tracker_auth_failures", ""),
        ["vtp.http.rate_limited"] = new("p2p_tracker_rate_limit_hits", ""),
        ["vtp.tracker.peers_online"] = new("p2p_tracker_peers_online", ""),
        ["vtp.tracker.peers_total"] = new("p2p_tracker_peers_total", ""),
        ["vtp.tracker.files_shared"] = new("p2p_tracker_files_shared", ""),
        ["vtp.tracker.peer_registrations"] = new("p2p_tracker_peer_registrations", ""),
        ["vtp.tracker.file_announcements"] = new("p2p_tracker_file_announcements", ""),
        ["vtp.tracker.file_download_requests"] = new("p2p_tracker_file_download_requests", ""),
        ["vtp.tracker.bytes_transferred"] = new("p2p_tracker_bytes_transferred", ""),
        ["dotnet.process.cpu.time"] = new("process_cpu_seconds", "seconds"),
        ["dotnet.process.memory.working_set"] = new("process_resident_memory_bytes", "bytes"),
        ["vtp.process.start_time"] = new("process_start_time_seconds", "seconds"),
        ["dotnet.thread_pool.thread.count"] = new("dotnet_thread_pool_threads", "") { IsGauge = true },
        ["dotnet.thread_pool.queue.length"] = new("dotnet_thread_pool_queue_length", "") { IsGauge = true },
        ["db.client.connection.count"] = new("db_client_connections", "")
        {
            Labels = [new("db.client.connection.pool.name", "pool"), new("db.client.connection.state", "state")],
        },
        ["db.client.connection.max"] = OfPool("db_client_connections_max"),
        ["db.client.connection.npgsql.pending_requests"] = OfPool("db_client_connections_awaited"),
        ["db.client.connection.npgsql.timeouts"] = OfPool("db_client_connection_timeouts"),
        ["db.client.connection.npgsql.create_time"] = OfPool("db_client_connection_create_time_seconds", "seconds"),
        ["db.client.operation.duration"] = OfPool("db_client_operation_duration_seconds", "seconds"),
        ["db.client.operation.failed"] = OfPool("db_client_operations_failed"),
    };

    /// <summary>The path of every request that no route took.</summary>
    public const string UnknownRoute = "unknown";

    /// <param name="instrument">Its name.</param>
    /// <param name="unit">In UCUM, as instruments state it; words in braces count things and are left out.</param>
    public static PrometheusName Of(string instrument, string? unit)
    {
        if (Exact.TryGetValue(instrument, out var exact))
        {
            return exact;
        }

        var (name, word) = (Clean(instrument), unit switch
        {
            "s" => "seconds",
            "By" => "bytes",
            "1" => "ratio",
            _ => "",
        });
        return new PrometheusName(word.Length == 0 || name.EndsWith($"_{word}", StringComparison.Ordinal) ? name : $"{name}_{word}", word);
    }

    private static PrometheusName OfPool(string family, string unit = "") => new(family, unit) { Labels = [new("db.client.connection.pool.name", "pool")] };

    /// <summary>Letters, digits and underscores, and no digit in front.</summary>
    public static string Clean(string name)
    {
        var clean = new StringBuilder(name.Length);
        foreach (var character in name)
        {
            if (clean.Length == 0 && char.IsAsciiDigit(character))
            {
                clean.Append('_');
            }

            clean.Append(char.IsAsciiLetterOrDigit(character) ? character : '_');
        }

        return clean.ToString();
    }
}
