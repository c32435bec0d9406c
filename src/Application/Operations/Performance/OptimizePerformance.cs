using System.Globalization;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Operations.Cache;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Performance;

/// <summary>
/// Looks for what makes the server slow, and says of each finding which numbers show it. It does by itself what cannot do
/// harm: it lets PostgreSQL count stale tables anew, has projects read ahead that are asked for and not at hand, and keeps
/// answers for longer or shorter, within the bounds of their prefix. It says what it did; everything else is advice.
/// </summary>
/// <param name="Apply">False to look only.</param>
[Requires(Permission.Operate)]
[Audited(AuditActions.PerformanceOptimized)]
public sealed record OptimizePerformanceCommand(bool? Apply) : ICommand<PerformanceReport>;

/// <param name="Since">From when on the numbers count that are not said to be of another time.</param>
/// <param name="Applied">What was done, and nothing else was; one sentence each.</param>
public sealed record PerformanceReport(
    string Node, DateTimeOffset Since, DateTimeOffset At, IReadOnlyList<PerformanceFinding> Findings, IReadOnlyList<string> Applied);

/// <param name="Rule">Stable, for programs.</param>
/// <param name="Evidence">Numbers by name.</param>
/// <param name="Advice">What to do, most likely first.</param>
public sealed record PerformanceFinding(
    string Rule, string Finding, IReadOnlyDictionary<string, double> Evidence, IReadOnlyList<string> Subjects, IReadOnlyList<string> Advice);

internal sealed class OptimizePerformanceHandler(
    IPerformance performance, IDatabasePerformance database, ICacheAdministration cache, CacheWarming warming, IVtpDb db, TimeProvider clock)
    : IRequestHandler<OptimizePerformanceCommand, Result<PerformanceReport>>
{
    public async Task<Result<PerformanceReport>> Handle(OptimizePerformanceCommand request, CancellationToken cancellationToken)
    {
        var (metrics, applies) = (performance.Read(), request.Apply != false);
        var findings = PerformanceRules.Find(metrics, performance.Endpoints(), performance.SlowQueries()).ToList();
        var applied = new List<string>();

        foreach (var table in await database.ScannedTablesAsync(cancellationToken))
        {
            findings.Add(PerformanceRules.IsScanned(table));
        }

        foreach (var table in await database.StaleTablesAsync(cancellationToken))
        {
            findings.Add(PerformanceRules.IsStale(table));
            if (applies && await database.AnalyzeAsync(table.Name, cancellationToken))
            {
                applied.Add(string.Create(CultureInfo.InvariantCulture, $"ANALYZE {table.Name}: {table.Changed} of about {table.Rows} rows had changed since the last one."));
            }
        }

        var evidence = cache.Evidence();
        foreach (var (finding, prefix, keepFor) in evidence.Select(one => CacheRules.Find(one, evidence)).OfType<CacheFinding>())
        {
            findings.Add(finding);
            if (applies && keepFor is { } better)
            {
                await cache.SetLifetimeAsync(prefix, better, cancellationToken);
                applied.Add(string.Create(CultureInfo.InvariantCulture, $"Answers of '{prefix}' are kept for {better.TotalSeconds} s from now on, on all nodes."));
            }
        }

        if (CacheRules.Find(await warming.LookAsync(cancellationToken)) is { } cold)
        {
            findings.Add(cold);
            if (applies)
            {
                FillCacheCommand.Enqueue(db);
                await db.SaveChangesAsync(cancellationToken);
                applied.Add($"A job '{FillCacheCommand.Kind}' reads them ahead.");
            }
        }

        return new PerformanceReport(metrics.Node, metrics.Since, clock.GetUtcNow(), findings, applied);
    }
}
