using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Upkeep;

/// <summary>Removes for good what was deleted more than 30 days ago, and old invitations.</summary>
[Job("tenancy.purge_deleted", MaxAttempts = 5, FirstRetrySeconds = 30)]
[Requires(Permission.Anyone)]
public sealed record PurgeDeletedCommand : ICommand<Done>;

internal sealed class PurgeDeletedHandler(IUpkeep upkeep) : IRequestHandler<PurgeDeletedCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(PurgeDeletedCommand request, CancellationToken cancellationToken)
    {
        await upkeep.PurgeDeletedAsync(cancellationToken);
        return Done.Value;
    }
}
