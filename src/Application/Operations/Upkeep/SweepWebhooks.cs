using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Upkeep;

/// <summary>Wakes the senders of deliveries that nobody sends: a net below the jobs that do. Erases secrets that sign nothing more.</summary>
[Job("webhooks.sweep", MaxAttempts = 5, FirstRetrySeconds = 30)]
[Requires(Permission.Anyone)]
public sealed record SweepWebhooksCommand : ICommand<Done>;

internal sealed class SweepWebhooksHandler(IUpkeep upkeep) : IRequestHandler<SweepWebhooksCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(SweepWebhooksCommand request, CancellationToken cancellationToken)
    {
        await upkeep.SweepWebhooksAsync(cancellationToken);
        return Done.Value;
    }
}
