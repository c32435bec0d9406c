using MediatR;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Common;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Tenancy.Projects;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Operations.Cache;

/// <summary>Reads the projects whose keys were used last into the cache of the node that answers, and so into Redis.</summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.CacheWarmed)]
public sealed record WarmCacheCommand : ICommand<CacheWarmed>;

/// <param name="Projects">How many are at hand now.</param>
public sealed record CacheWarmed(int Projects);

internal sealed class WarmCacheHandler(CacheWarming warming) : IRequestHandler<WarmCacheCommand, Result<CacheWarmed>>
{
    public async Task<Result<CacheWarmed>> Handle(WarmCacheCommand request, CancellationToken cancellationToken) =>
        new CacheWarmed(await warming.RunAsync(cancellationToken));
}

/// <summary>Asks for what will be asked for, as those will who ask.</summary>
public sealed class CacheWarming(IHotProjects hot, HybridCache cache, IServiceScopeFactory scopes)
{
    /// <returns>How many were read or were there.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var warmed = 0;
        foreach (var (organization, project) in await hot.ReadAsync(hot.Wanted, cancellationToken))
        {
            var tenant = new TenantScope();
            tenant.Enter(organization, project, Organization.DefaultAuditRetentionDays);
            var behaviour = new CacheBehaviour<GetProjectQuery, Result<ProjectView>>(cache, tenant, scopes);
            var result = await behaviour.Handle(new GetProjectQuery(project.Value), cancellationToken, () => Task.FromResult<Result<ProjectView>>(ProjectRefusals.NotFound));
            warmed += result.Refusal is null ? 1 : 0;
        }

        return warmed;
    }
}
