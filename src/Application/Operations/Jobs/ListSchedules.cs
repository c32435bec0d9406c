using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>What is done again and again, by name.</summary>
[Requires(Permission.Operate)]
public sealed record ListSchedulesQuery : IQuery<ScheduleList>;

public sealed record ScheduleList(IReadOnlyList<ScheduleView> Data);

internal sealed class ListSchedulesHandler(ISchedules schedules) : IRequestHandler<ListSchedulesQuery, Result<ScheduleList>>
{
    public async Task<Result<ScheduleList>> Handle(ListSchedulesQuery request, CancellationToken cancellationToken) =>
        new ScheduleList(await schedules.ListAsync(cancellationToken));
}
