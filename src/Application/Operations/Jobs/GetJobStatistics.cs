using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>How the queue does: of each kind how many wait and how they end, and what was done in the last hour.</summary>
[Requires(Permission.Operate)]
public sealed record GetJobStatisticsQuery : IQuery<JobStatistics>;

/// <param name="Kinds">By name: those that this node knows, those that are paused, and those of which there are any.</param>
/// <param name="Minutes">The last 60, the one that now runs included, oldest first; all kinds together.</param>
/// <param name="CountedUpTo">No more than so many of a kind are counted in each state: where it says so many, there may be more.</param>
public sealed record JobStatistics(IReadOnlyList<JobKindStatistics> Kinds, IReadOnlyList<JobMinute> Minutes, int CountedUpTo);

/// <param name="Scheduled">That wait for their time; like the next three, counted up to <c>counted_up_to</c>.</param>
/// <param name="Ready">That are due.</param>
/// <param name="Dead">That were given up.</param>
/// <param name="OldestSeconds">For how long the oldest of them has been due; null when none is.</param>
/// <param name="DoneLastHour">In the minutes that are listed.</param>
/// <param name="FailedLastHour">Runs that failed in the minutes that are listed, those whose node stopped answering included.</param>
/// <param name="IsPaused">None is begun until it is resumed.</param>
public sealed record JobKindStatistics(
    string Kind, int Scheduled, int Ready, int Running, int Dead, double? OldestSeconds, long DoneLastHour, long FailedLastHour, bool IsPaused);

/// <param name="Minute">Its first moment.</param>
/// <param name="Failed">Runs, those that were tried again included.</param>
public sealed record JobMinute(DateTimeOffset Minute, long Done, long Failed);

internal sealed class GetJobStatisticsHandler(IJobStatistics statistics) : IRequestHandler<GetJobStatisticsQuery, Result<JobStatistics>>
{
    public async Task<Result<JobStatistics>> Handle(GetJobStatisticsQuery request, CancellationToken cancellationToken) =>
        await statistics.ReadAsync(cancellationToken);
}
