using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Upkeep;

/// <summary>Removes dead letters, counts of minutes, settled mail and ended alerts past their time.</summary>
[Job("jobs.remove_old", MaxAttempts = 5, FirstRetrySeconds = 30)]
[Requires(Permission.Anyone)]
public sealed record RemoveOldJobsCommand : ICommand<Done>;

internal sealed class RemoveOldJobsHandler(IUpkeep upkeep) : IRequestHandler<RemoveOldJobsCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(RemoveOldJobsCommand request, CancellationToken cancellationToken)
    {
        await upkeep.RemoveOldJobsAsync(cancellationToken);
        return Done.Value;
    }
}
