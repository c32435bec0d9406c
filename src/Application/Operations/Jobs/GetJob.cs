using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>One job, with the history of its errors.</summary>
[Requires(Permission.Operate)]
public sealed record GetJobQuery(Guid Id) : IQuery<JobView>;

internal sealed class GetJobHandler(IJobAdministration jobs) : IRequestHandler<GetJobQuery, Result<JobView>>
{
    public async Task<Result<JobView>> Handle(GetJobQuery request, CancellationToken cancellationToken) =>
        await jobs.FindAsync(request.Id, cancellationToken) is { } job ? job : JobRefusals.NotFound;
}
