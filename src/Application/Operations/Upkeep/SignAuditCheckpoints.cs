using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Upkeep;

/// <summary>Signs the end of each chain of the audit trail that has grown since its last checkpoint.</summary>
[Job("audit.checkpoint", MaxAttempts = 5, FirstRetrySeconds = 10)]
[Requires(Permission.Anyone)]
public sealed record SignAuditCheckpointsCommand : ICommand<Done>;

internal sealed class SignAuditCheckpointsHandler(IUpkeep upkeep) : IRequestHandler<SignAuditCheckpointsCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(SignAuditCheckpointsCommand request, CancellationToken cancellationToken)
    {
        await upkeep.SignAuditCheckpointsAsync(cancellationToken);
        return Done.Value;
    }
}
