using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Vtp.Application.Common;
using Vtp.Application.Operations.Performance;
using Vtp.Domain.Operations;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Performance;

/// <summary>
/// Looks at the node's numbers each ten seconds, raises an alert for each that has left its bounds, and resolves it when it is
/// back. Alerts of nodes that say nothing any more any node resolves.
/// </summary>
internal sealed partial class PerformanceWatch(
    PerformanceMonitor monitor,
    MeterReadings meters,
    IServiceScopeFactory scopes,
    IOptions<PerformanceOptions> options,
    TimeProvider clock,
    ILogger<PerformanceWatch> logger) : BackgroundService
{
    // Of fewer requests, or reads, a share says little.
    private const int FewRequests = 20;
    private const int FewReads = 100;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _one = new(1);
    private (long Hits, long Misses) _cacheBefore;
    private long _cacheReadAt = clock.GetTimestamp();
    private double? _hitRate;

    /// <summary>Once: the point of the history, and the alerts.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            await LookAloneAsync(cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _one.Dispose();
    }

    private async Task LookAloneAsync(CancellationToken cancellationToken)
    {
        monitor.Look();
        ReadCache();
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<TenantScope>().EnterSystem();
        var db = scope.ServiceProvider.GetRequiredService<VtpDbContext>();
        var (now, node) = (clock.GetUtcNow(), PerformanceMonitor.Node);
        var open = await db.SystemAlerts.Where(alert => alert.ResolvedAt == null).ToListAsync(cancellationToken);
        foreach (var lost in open.Where(alert => alert.Node != node && alert.CheckedAt < now - SystemAlert.LostAfter))
        {
            lost.Resolve(now);
        }

        var metrics = monitor.Read();
        foreach (var rule in AlertRule.All)
        {
            var threshold = options.Value.ThresholdOf(rule);
            var value = threshold == 0 ? null : ValueOf(rule, metrics);
            var alert = open.Find(alert => alert.Node == node && alert.Rule == rule.Name);
            if (value is { } number && rule.IsBroken(number, threshold))
            {
                alert?.Worsen(rule, number, now);
                if (alert is null && !await HasJustEndedAsync(db, rule, node, now, cancellationToken))
                {
                    db.Add(SystemAlert.Raise(rule, node, number, threshold, now));
                    LogRaised(rule.Name, number, threshold);
                }
            }
            else if (alert is not null)
            {
                alert.Resolve(now);
                LogResolved(rule.Name);
            }
        }

        await db.SaveChangesAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(PerformanceMonitor.Every, clock);
        while (await NextAsync(timer, stoppingToken))
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is DbUpdateException or NpgsqlException or InvalidOperationException or TimeoutException && !stoppingToken.IsCancellationRequested)
            {
                // The database is away, or another server takes itself for this node: the next look comes soon.
                LogFailed(exception);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken stoppingToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            return false; // The server stops.
        }
    }

    private static Task<bool> HasJustEndedAsync(VtpDbContext db, AlertRule rule, string node, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var since = now - SystemAlert.Cooldown;
        return db.SystemAlerts.AnyAsync(alert => alert.Node == node && alert.Rule == rule.Name && alert.ResolvedAt > since, cancellationToken);
    }

    /// <returns>Null while there is too little to tell.</returns>
    private double? ValueOf(AlertRule rule, PerformanceMetrics metrics)
    {
        var recent = monitor.Within(Window).Counts;
        return rule == AlertRule.ResponseTime ? monitor.Times(Window) is { Samples: >= FewRequests } times ? times.P95 : null
            : rule == AlertRule.ErrorRate ? recent.Requests >= FewRequests ? (double)recent.Errors / recent.Requests : null
            : rule == AlertRule.CacheHitRate ? _hitRate
            : rule == AlertRule.Connections ? metrics.ActiveConnections
            : rule == AlertRule.Pool ? metrics.Database.ConnectionPool.Usage
            : rule == AlertRule.Memory ? metrics.Memory.Load
            : rule == AlertRule.Heap ? GC.GetGCMemoryInfo().HeapSizeBytes / 1048576.0
            : metrics.Threads;
    }

    /// <summary>Anew after each five minutes in which there were enough reads.</summary>
    private void ReadCache()
    {
        if (clock.GetElapsedTime(_cacheReadAt) < Window || meters.CacheCounts() is not { } counts)
        {
            return;
        }

        var (hits, misses) = (counts.Hits - _cacheBefore.Hits, counts.Misses - _cacheBefore.Misses);
        _hitRate = hits + misses >= FewReads ? (double)hits / (hits + misses) : null;
        (_cacheBefore, _cacheReadAt) = ((counts.Hits, counts.Misses), clock.GetTimestamp());
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Rule} is {Value}, beyond {Threshold}")]
    private partial void LogRaised(string rule, double value, double threshold);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Rule} is within its bounds again")]
    private partial void LogResolved(string rule);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The node's alerts could not be looked after")]
    private partial void LogFailed(Exception exception);
}
