using MediatR;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Common;

namespace Vtp.Application.Common.Pipeline;

/// <summary>
/// Keeps answers of cached queries, never refusals. The handler runs in a scope of its own: it may outlive the request
/// that asked first, whose unit of work goes back to a pool and serves others.
/// </summary>
internal sealed class CacheBehaviour<TRequest, TResponse>(HybridCache cache, ICacheLifetimes lifetimes, TenantScope tenant, IServiceScopeFactory scopes)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>, ICachedQuery
    where TResponse : IResult<TResponse>
{
    public Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next) =>
        request.KeyIn(tenant) is { } key ? KeptAsync(request, key, cancellationToken) : next();

    private async Task<TResponse> KeptAsync(TRequest request, CacheKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await cache.GetOrCreateAsync(
                key.Text,
                (request, tenant, scopes),
                static (state, token) => AnswerAsync(state.request, state.tenant, state.scopes, token),
                new HybridCacheEntryOptions { Expiration = lifetimes.KeepFor(key.Prefix) },
                Tags(request, tenant),
                cancellationToken);
        }
        catch (RefusedException refused)
        {
            return TResponse.Refused(refused.Refusal);
        }
    }

    /// <summary>Not made unless asked for, which they are when the answer is not at hand.</summary>
    private static IEnumerable<string> Tags(TRequest request, TenantScope tenant)
    {
        foreach (var tag in request.TagsIn(tenant))
        {
            yield return tag.Text;
        }
    }

    private static async ValueTask<TResponse> AnswerAsync(TRequest request, TenantScope tenant, IServiceScopeFactory scopes, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<TenantScope>().Follow(tenant);
        var result = await scope.ServiceProvider.GetRequiredService<IRequestHandler<TRequest, TResponse>>().Handle(request, cancellationToken);
        return result.Refusal is { } refusal ? throw new RefusedException(refusal) : result;
    }

    private sealed class RefusedException(Refusal refusal) : NothingToKeepException
    {
        public Refusal Refusal { get; } = refusal;
    }
}

/// <summary>Forgets what a command has made wrong: after its commit, also when nobody knows whether there was one.</summary>
internal sealed class InvalidationBehaviour<TRequest, TResponse>(HybridCache cache, TenantScope tenant) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>, IInvalidates
    where TResponse : IResult<TResponse>
{
    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        var isRefused = false;
        try
        {
            var result = await next();
            isRefused = result.Refusal is not null;
            return result;
        }
        finally
        {
            if (!isRefused)
            {
                await cache.RemoveByTagAsync(request.InvalidatedIn(tenant).Select(tag => tag.Text), CancellationToken.None);
            }
        }
    }
}
