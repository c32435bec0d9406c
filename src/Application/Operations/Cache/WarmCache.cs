using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Cache;

/// <summary>Reads the projects whose keys were used last into the cache of all nodes. A job does it.</summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.CacheWarmed)]
public sealed record WarmCacheCommand : ICommand<CacheWarmingQueued>;

/// <param name="Job">The kind of the job that does it, as the jobs are listed by.</param>
public sealed record CacheWarmingQueued(string Job);

internal sealed class WarmCacheHandler(IVtpDb db) : IRequestHandler<WarmCacheCommand, Result<CacheWarmingQueued>>
{
    public async Task<Result<CacheWarmingQueued>> Handle(WarmCacheCommand request, CancellationToken cancellationToken)
    {
        FillCacheCommand.Enqueue(db);
        await db.SaveChangesAsync(cancellationToken);
        return new CacheWarmingQueued(FillCacheCommand.Kind);
    }
}
