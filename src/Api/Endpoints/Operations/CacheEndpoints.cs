using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Application.Operations.Cache;

namespace Vtp.Api.Endpoints.Operations;

internal static class CacheEndpoints
{
    public static void MapCache(this IEndpointRouteBuilder api)
    {
        var admin = api.MapGroup("/admin/cache").WithTags("Cache").NeverStored();
        admin.MapGet("/stats", Statistics).Runs<GetCacheStatisticsQuery>("See how the cache of this node does");
        admin.MapPost("/invalidate", Invalidate).Runs<InvalidateCacheCommand>("Forget kept answers on all nodes");
        admin.MapPost("/warm", Warm).Runs<WarmCacheCommand>("Read ahead what was asked for last");
        admin.MapDelete("/lifetimes", ResetLifetimes).Runs<ResetCacheLifetimesCommand>("Keep answers for as long as is usual again");
    }

    private static async Task<Results<Ok<CacheStatistics>, RefusedHttpResult>> Statistics(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetCacheStatisticsQuery(), ct)).ToHttp();

    private static async Task<Results<NoContent, RefusedHttpResult>> Invalidate(InvalidateCacheCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToNoContent();

    private static async Task<Results<Accepted<CacheWarmingQueued>, RefusedHttpResult>> Warm(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new WarmCacheCommand(), ct)).Match<Results<Accepted<CacheWarmingQueued>, RefusedHttpResult>>(
            queued => TypedResults.Accepted($"/api/v1/admin/jobs?kind={queued.Job}", queued), refusal => new RefusedHttpResult(refusal));

    private static async Task<Results<NoContent, RefusedHttpResult>> ResetLifetimes(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ResetCacheLifetimesCommand(), ct)).ToNoContent();
}
