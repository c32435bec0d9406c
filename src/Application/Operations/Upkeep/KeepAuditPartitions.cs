using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Upkeep;

/// <summary>Makes the partitions that the trail needs next, and drops those whose time is over.</summary>
[Job("audit.keep_partitions", MaxAttempts = 5, FirstRetrySeconds = 30)]
[Requires(Permission.Anyone)]
public sealed record KeepAuditPartitionsCommand : ICommand<Done>;

internal sealed class KeepAuditPartitionsHandler(IUpkeep upkeep) : IRequestHandler<KeepAuditPartitionsCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(KeepAuditPartitionsCommand request, CancellationToken cancellationToken)
    {
        await upkeep.KeepAuditPartitionsAsync(cancellationToken);
        return Done.Value;
    }
}
