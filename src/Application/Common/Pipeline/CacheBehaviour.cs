using MediatR;
using Microsoft.Extensions.Caching.Hybrid;
using Vtp.Domain.Common;

namespace Vtp.Application.Common.Pipeline;

/// <summary>Keeps answers of cached queries, never refusals.</summary>
internal sealed class CacheBehaviour<TRequest, TResponse>(HybridCache cache) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>, ICachedQuery
    where TResponse : IResult<TResponse>
{
    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        var options = new HybridCacheEntryOptions { Expiration = request.KeepFor };
        try
        {
            return await cache.GetOrCreateAsync(
                request.CacheKey,
                next,
                static async (handler, _) => Cacheable(await handler()),
                options,
                request.Tags,
                cancellationToken);
        }
        catch (NotCacheable no)
        {
            return TResponse.Refused(no.Refusal);
        }
    }

    private static TResponse Cacheable(TResponse result) => result.Refusal is { } refusal ? throw new NotCacheable(refusal) : result;

    /// <summary>Carries a refusal past the cache, which keeps whatever is returned to it.</summary>
    private sealed class NotCacheable(Refusal refusal) : Exception
    {
        public Refusal Refusal { get; } = refusal;
    }
}

/// <summary>After a command has succeeded, forgets what it made wrong.</summary>
internal sealed class InvalidationBehaviour<TRequest, TResponse>(HybridCache cache) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>, IInvalidates
    where TResponse : IResult<TResponse>
{
    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        var result = await next();
        if (result.Refusal is null)
        {
            await cache.RemoveByTagAsync(request.InvalidatedTags, CancellationToken.None);
        }

        return result;
    }
}
