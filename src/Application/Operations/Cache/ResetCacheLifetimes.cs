using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Cache;

/// <summary>Keeps answers for as long as is usual again, on all nodes. Those that are kept already live as long as they were to.</summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.CacheLifetimesReset)]
public sealed record ResetCacheLifetimesCommand : ICommand<Done>;

internal sealed class ResetCacheLifetimesHandler(ICacheAdministration cache) : IRequestHandler<ResetCacheLifetimesCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(ResetCacheLifetimesCommand request, CancellationToken cancellationToken)
    {
        await cache.ResetLifetimesAsync(cancellationToken);
        return Done.Value;
    }
}
