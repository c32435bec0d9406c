using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Operations.Jobs;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Observability;

/// <summary>
/// How far behind the work of the whole installation is, looked up every ten seconds: each node says the same, so take the
/// largest of them and not the sum. While the database does not answer there are no such numbers, rather than old ones.
/// </summary>
internal sealed partial class WorkMetrics : BackgroundService
{
    private const int CountedUpTo = 10_000;
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(10);

    /// <summary>$1: now; $2: no more than so many are counted.</summary>
    private const string Look =
        """
        SELECT
            (SELECT position FROM event_log),
            (SELECT count(*) FROM (SELECT FROM events WHERE position IS NULL LIMIT $2) counted),
            (SELECT coalesce(max(extract(epoch FROM $1 - (
                SELECT occurred_at FROM events WHERE events.position > event_consumers.position ORDER BY events.position LIMIT 1))), 0)::double precision FROM event_consumers),
            (SELECT coalesce(max(event_log.position - event_consumers.position), 0) FROM event_log CROSS JOIN event_consumers),
            waiting.deliveries, waiting.overdue,
            (SELECT coalesce(sum(last_sequence), 0)::bigint FROM audit_chains),
            (SELECT coalesce(sum(last_sequence - checkpoint_sequence), 0)::bigint FROM audit_chains WHERE last_sequence > checkpoint_sequence),
            unsealed.entries, unsealed.age
        FROM (
            SELECT count(*) AS deliveries, greatest(coalesce(extract(epoch FROM $1 - min(next_attempt_at)), 0), 0)::double precision AS overdue
            FROM (SELECT next_attempt_at FROM webhook_deliveries WHERE state = 'pending' LIMIT $2) pending) waiting
        CROSS JOIN (
            SELECT count(*) AS entries, greatest(coalesce(extract(epoch FROM $1 - min(occurred_at)), 0), 0)::double precision AS age
            FROM (SELECT occurred_at FROM audit_entries WHERE sequence IS NULL LIMIT $2) waiting) unsealed
        """;

    private readonly NpgsqlDataSource _database;
    private readonly IJobStatistics _jobs;
    private readonly TimeProvider _clock;
    private readonly ILogger<WorkMetrics> _logger;
    private readonly Meter _meter = new(Telemetry.Name);
    private Seen? _seen;

    public WorkMetrics(
        [FromKeyedServices(Connections.Reads)] NpgsqlDataSource database, IJobStatistics jobs, TimeProvider clock, ILogger<WorkMetrics> logger)
    {
        (_database, _jobs, _clock, _logger) = (database, jobs, clock, logger);
        _meter.CreateObservableGauge("vtp.jobs", Jobs, description: "Jobs by kind and state, counted up to ten thousand.");
        _meter.CreateObservableGauge("vtp.jobs.age", Ages, "s", "For how long the oldest job of a kind has been due.");
        Of("vtp.events.position", "", "The last position of the event log.", seen => seen.Position);
        Of("vtp.events.unplaced", "", "Committed events without a position yet.", seen => seen.Unplaced);
        Of("vtp.events.lag", "", "Positions that the slowest consumer has before it.", seen => seen.Lag);
        Of("vtp.events.lag.age", "s", "For how long the oldest event has waited for the slowest consumer.", seen => seen.LagSeconds);
        Of("vtp.webhooks.pending", "", "Deliveries that wait for an attempt, counted up to ten thousand.", seen => seen.Pending);
        Of("vtp.webhooks.overdue", "s", "For how long the oldest attempt has been due.", seen => seen.OverdueSeconds);
        Of("vtp.audit.head", "", "Sealed entries of all chains together.", seen => seen.Head);
        Of("vtp.audit.unsigned", "", "Sealed entries that no checkpoint covers yet.", seen => seen.Unsigned);
        Of("vtp.audit.unsealed", "", "Entries that wait for their place in a chain, counted up to ten thousand.", seen => seen.Unsealed);
        Of("vtp.audit.unsealed.age", "s", "For how long the oldest of them has waited.", seen => seen.UnsealedSeconds);
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pace, _clock);
        do
        {
            try
            {
                _seen = await LookAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                _seen = null;
                LogFailed(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<Seen> LookAsync(CancellationToken cancellationToken)
    {
        var jobs = await _jobs.ReadAsync(cancellationToken);
        await using var batch = _database.CreateSystemCommand(
            Look, new NpgsqlParameter<DateTimeOffset> { TypedValue = _clock.GetUtcNow() }, new NpgsqlParameter<int> { TypedValue = CountedUpTo });
        await using var reader = await batch.ReadAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new Seen(
            jobs.Kinds,
            reader.GetInt64(0),
            reader.GetInt64(1),
            reader.GetDouble(2),
            reader.GetInt64(3),
            reader.GetInt64(4),
            reader.GetDouble(5),
            reader.GetInt64(6),
            reader.GetInt64(7),
            reader.GetInt64(8),
            reader.GetDouble(9));
    }

    private void Of(string name, string unit, string description, Func<Seen, double> value) =>
        _meter.CreateObservableGauge(name, () => _seen is { } seen ? [new Measurement<double>(value(seen))] : Array.Empty<Measurement<double>>(), unit, description);

    private IEnumerable<Measurement<long>> Jobs()
    {
        foreach (var kind in _seen?.Jobs ?? [])
        {
            yield return Count(kind.Kind, "scheduled", kind.Scheduled);
            yield return Count(kind.Kind, "ready", kind.Ready);
            yield return Count(kind.Kind, "running", kind.Running);
            yield return Count(kind.Kind, "dead", kind.Dead);
        }

        static Measurement<long> Count(string kind, string state, long count) => new(count, new("kind", kind), new("state", state));
    }

    private IEnumerable<Measurement<double>> Ages()
    {
        foreach (var kind in _seen?.Jobs ?? [])
        {
            yield return new(kind.OldestSeconds ?? 0, new KeyValuePair<string, object?>("kind", kind.Kind));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "How far the work is could not be looked up; trying again")]
    private partial void LogFailed(Exception exception);

    private sealed record Seen(
        IReadOnlyList<JobKindStatistics> Jobs,
        long Position,
        long Unplaced,
        double LagSeconds,
        long Lag,
        long Pending,
        double OverdueSeconds,
        long Head,
        long Unsigned,
        long Unsealed,
        double UnsealedSeconds);
}
