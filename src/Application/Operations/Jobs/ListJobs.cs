using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>Jobs that wait, run or were given up, newest first.</summary>
/// <param name="Kind">Of one kind only.</param>
/// <param name="Organization">Of one organization only.</param>
/// <param name="HasFailed">Only those that have failed before, or only those that have not.</param>
/// <param name="Cursor">From the answer before.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.Operate)]
public sealed record ListJobsQuery(JobState? State, string? Kind, Guid? Organization, bool? HasFailed, Guid? Cursor, int? Limit) : IQuery<CursorPage<JobView>>;

internal sealed class ListJobsHandler(IJobAdministration jobs) : IRequestHandler<ListJobsQuery, Result<CursorPage<JobView>>>
{
    public async Task<Result<CursorPage<JobView>>> Handle(ListJobsQuery request, CancellationToken cancellationToken)
    {
        var limit = Paging.ClampLimit(request.Limit);
        var page = await jobs.ListAsync(request.State, request.Kind, request.Organization, request.HasFailed, request.Cursor, limit + 1, cancellationToken);
        return page.Count <= limit ? new CursorPage<JobView>(page, null) : new CursorPage<JobView>([.. page.Take(limit)], page[limit - 1].Id.ToString());
    }
}
