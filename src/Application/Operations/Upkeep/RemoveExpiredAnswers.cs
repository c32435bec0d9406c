using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Upkeep;

/// <summary>Removes answers to idempotent requests that nobody is given any more.</summary>
[Job("idempotency.remove_expired", MaxAttempts = 5, FirstRetrySeconds = 30)]
[Requires(Permission.Anyone)]
public sealed record RemoveExpiredAnswersCommand : ICommand<Done>;

internal sealed class RemoveExpiredAnswersHandler(IUpkeep upkeep) : IRequestHandler<RemoveExpiredAnswersCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(RemoveExpiredAnswersCommand request, CancellationToken cancellationToken)
    {
        await upkeep.RemoveExpiredAnswersAsync(cancellationToken);
        return Done.Value;
    }
}
