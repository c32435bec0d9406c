using System.Globalization;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Performance;

/// <summary>
/// Looks for what makes the server slow, and says of each finding which numbers show it. It does by itself what cannot do
/// harm, which is to let PostgreSQL count stale tables anew, and says what it did; everything else is advice.
/// </summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.PerformanceOptimized)]
public sealed record OptimizePerformanceCommand : ICommand<PerformanceReport>;

/// <param name="Since">From when on the numbers count that are not said to be of another time.</param>
/// <param name="Applied">What was done, and nothing else was; one sentence each.</param>
public sealed record PerformanceReport(
    string Node, DateTimeOffset Since, DateTimeOffset At, IReadOnlyList<PerformanceFinding> Findings, IReadOnlyList<string> Applied);

/// <param name="Rule">Stable, for programs.</param>
/// <param name="Evidence">Numbers by name.</param>
/// <param name="Advice">What to do, most likely first.</param>
public sealed record PerformanceFinding(
    string Rule, string Finding, IReadOnlyDictionary<string, double> Evidence, IReadOnlyList<string> Subjects, IReadOnlyList<string> Advice);

internal sealed class OptimizePerformanceHandler(IPerformance performance, IDatabasePerformance database, TimeProvider clock)
    : IRequestHandler<OptimizePerformanceCommand, Result<PerformanceReport>>
{
    public async Task<Result<PerformanceReport>> Handle(OptimizePerformanceCommand request, CancellationToken cancellationToken)
    {
        var metrics = performance.Read();
        var findings = PerformanceRules.Find(metrics, performance.Endpoints(), performance.SlowQueries()).ToList();
        var applied = new List<string>();

        foreach (var table in await database.ScannedTablesAsync(cancellationToken))
        {
            findings.Add(PerformanceRules.IsScanned(table));
        }

        foreach (var table in await database.StaleTablesAsync(cancellationToken))
        {
            findings.Add(PerformanceRules.IsStale(table));
            if (await database.AnalyzeAsync(table.Name, cancellationToken))
            {
                applied.Add(string.Create(CultureInfo.InvariantCulture, $"ANALYZE {table.Name}: {table.Changed} of about {table.Rows} rows had changed since the last one."));
            }
        }

        return new PerformanceReport(metrics.Node, metrics.Since, clock.GetUtcNow(), findings, applied);
    }
}
