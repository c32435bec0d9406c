using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Upkeep;

/// <summary>Removes expired challenges, codes and tokens, and sessions that ended long ago.</summary>
[Job("identity.remove_expired", MaxAttempts = 5, FirstRetrySeconds = 30)]
[Requires(Permission.Anyone)]
public sealed record RemoveExpiredSecretsCommand : ICommand<Done>;

internal sealed class RemoveExpiredSecretsHandler(IUpkeep upkeep) : IRequestHandler<RemoveExpiredSecretsCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(RemoveExpiredSecretsCommand request, CancellationToken cancellationToken)
    {
        await upkeep.RemoveExpiredSecretsAsync(cancellationToken);
        return Done.Value;
    }
}
