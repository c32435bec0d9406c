using MediatR;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Tenancy.Projects;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Operations.Cache;

/// <summary>
/// Reads ahead what was asked for last: once, into the cache of the node that runs it and so into Redis. Then each node fills
/// its own memory, which no job of another can; where there is a Redis it finds the answers there.
/// </summary>
[Job(Kind, MaxAttempts = 3, PerNode = 1)]
[Requires(Permission.Anyone)]
public sealed record FillCacheCommand : ICommand<Done>
{
    public const string Kind = "cache.warm";

    /// <summary>However many ask, and however many nodes start: one that waits is enough.</summary>
    public static void Enqueue(IVtpDb db) => db.Enqueue(new FillCacheCommand(), uniqueKey: "all");
}

internal sealed class FillCacheHandler(CacheWarming warming, ICacheAdministration cache) : IRequestHandler<FillCacheCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(FillCacheCommand request, CancellationToken cancellationToken)
    {
        await warming.RunAsync(cancellationToken);
        await cache.FillNodesAsync();
        return Done.Value;
    }
}

/// <summary>Asks for what will be asked for, as those will who ask.</summary>
public sealed class CacheWarming(IHotProjects hot, ICacheAdministration administration, HybridCache cache, ICacheLifetimes lifetimes, IServiceScopeFactory scopes)
{
    /// <returns>How many were read or were there.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var warmed = 0;
        foreach (var (tenant, query) in await HotAsync(cancellationToken))
        {
            var behaviour = new CacheBehaviour<GetProjectQuery, Result<ProjectView>>(cache, lifetimes, tenant, scopes);
            var result = await behaviour.Handle(query, cancellationToken, () => Task.FromResult<Result<ProjectView>>(ProjectRefusals.NotFound));
            warmed += result.Refusal is null ? 1 : 0;
        }

        return warmed;
    }

    /// <returns>How many are wanted at hand on the node that answers, and how many of them are not.</returns>
    public async Task<(int Hot, int Cold)> LookAsync(CancellationToken cancellationToken)
    {
        var keys = (await HotAsync(cancellationToken)).Select(one => ((ICachedQuery)one.Query).KeyIn(one.Tenant)!).ToList();
        return (keys.Count, keys.Count - administration.CountAtHand(keys));
    }

    private async Task<IReadOnlyList<(TenantScope Tenant, GetProjectQuery Query)>> HotAsync(CancellationToken cancellationToken) => hot.Wanted == 0 ? [] :
    [
        .. (await hot.ReadAsync(hot.Wanted, cancellationToken)).Select(one =>
        {
            var tenant = new TenantScope();
            tenant.Enter(one.Organization, one.Project, Organization.DefaultAuditRetentionDays);
            return (tenant, new GetProjectQuery(one.Project.Value));
        }),
    ];
}
