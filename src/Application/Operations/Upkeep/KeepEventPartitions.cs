using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Upkeep;

/// <summary>Makes the partitions that events and deliveries need next, and drops those whose time is over; what LiveKit told goes likewise.</summary>
[Job("events.keep_partitions", MaxAttempts = 5, FirstRetrySeconds = 30)]
[Requires(Permission.Anyone)]
public sealed record KeepEventPartitionsCommand : ICommand<Done>;

internal sealed class KeepEventPartitionsHandler(IUpkeep upkeep) : IRequestHandler<KeepEventPartitionsCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(KeepEventPartitionsCommand request, CancellationToken cancellationToken)
    {
        await upkeep.KeepEventPartitionsAsync(cancellationToken);
        return Done.Value;
    }
}
