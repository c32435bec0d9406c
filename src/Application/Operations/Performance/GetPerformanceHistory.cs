using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Performance;

/// <summary>The last half hour of the node that answers, a point each ten seconds: what charts are drawn of.</summary>
[Requires(Permission.Operate)]
public sealed record GetPerformanceHistoryQuery : IQuery<PerformanceHistory>;

public sealed record PerformanceHistory(string Node, IReadOnlyList<PerformancePoint> Data);

/// <summary>What happened in the seconds before a moment. What nobody measures, or did not happen, is null.</summary>
/// <param name="At">Their end.</param>
/// <param name="Seconds">For how long.</param>
/// <param name="Limited">Requests that were answered 429.</param>
/// <param name="P50">Milliseconds, like the next two; of the last 1000 requests of this time.</param>
/// <param name="CacheHitRate">0 to 1.</param>
/// <param name="PoolActive">Connections to the database in use at its end.</param>
/// <param name="PoolWaiting">Requests that waited for one at its end.</param>
/// <param name="GcPauseMs">For how long everything stood still.</param>
/// <param name="HeapBytes">On the managed heap at its end.</param>
public sealed record PerformancePoint(
    DateTimeOffset At,
    double Seconds,
    long Requests,
    long Errors,
    long Limited,
    double? P50,
    double? P95,
    double? P99,
    double? CacheHitRate,
    long PoolActive,
    long PoolWaiting,
    double GcPauseMs,
    long HeapBytes);

internal sealed class GetPerformanceHistoryHandler(IPerformance performance) : IRequestHandler<GetPerformanceHistoryQuery, Result<PerformanceHistory>>
{
    public Task<Result<PerformanceHistory>> Handle(GetPerformanceHistoryQuery request, CancellationToken cancellationToken) =>
        Task.FromResult<Result<PerformanceHistory>>(new PerformanceHistory(performance.Read().Node, performance.History()));
}
