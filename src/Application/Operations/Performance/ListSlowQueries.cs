using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Performance;

/// <summary>
/// Statements that took longer than the threshold, slowest first: those of the node that answers, and those of all nodes
/// where the database has <c>pg_stat_statements</c>. Of their text 500 characters; values are never kept.
/// </summary>
[Requires(Permission.Operate)]
public sealed record ListSlowQueriesQuery : IQuery<SlowQueryList>;

/// <param name="ThresholdMs">From how many milliseconds on a statement is slow.</param>
/// <param name="Data">Seen by this node since it started, the 200 that were slow last at most.</param>
/// <param name="Database">What the database counted; null where it has no <c>pg_stat_statements</c> that VTP may read.</param>
public sealed record SlowQueryList(string Node, double ThresholdMs, IReadOnlyList<SlowQuery> Data, IReadOnlyList<SlowQuery>? Database);

/// <param name="Query">Without values; cut at 500 characters.</param>
/// <param name="Count">How often it was slow; for the database's own, how often it ran.</param>
/// <param name="AverageMs">Over these.</param>
/// <param name="LastAt">Null for the database's own.</param>
/// <param name="TraceId">Of the request or job that sent it last, to be found in the logs and the trail.</param>
public sealed record SlowQuery(string Query, long Count, double AverageMs, double MaximumMs, DateTimeOffset? LastAt, string? TraceId);

internal sealed class ListSlowQueriesHandler(IPerformance performance, IDatabasePerformance database)
    : IRequestHandler<ListSlowQueriesQuery, Result<SlowQueryList>>
{
    public async Task<Result<SlowQueryList>> Handle(ListSlowQueriesQuery request, CancellationToken cancellationToken)
    {
        var threshold = performance.SlowQueryMs;
        return new SlowQueryList(
            performance.Read().Node, threshold, performance.SlowQueries(), await database.SlowQueriesAsync(threshold, cancellationToken));
    }
}
