using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Common;
using Vtp.Infrastructure.Redis;

namespace Vtp.Infrastructure.RateLimiting;

internal static class RateLimitWiring
{
    /// <summary>After AddRedis, which says whether there is one.</summary>
    public static void AddRateLimits(this IServiceCollection services)
    {
        services.AddSingleton<RateLimitSettings>();
        services.AddSingleton<RateLimitMetrics>();
        services.AddSingleton<LocalBudgets>();
        if (!services.Any(service => service.ServiceType == typeof(RedisConnection)))
        {
            services.AddSingleton<IRateLimiter, MemoryRateLimiter>();
            return;
        }

        services.AddSingleton<KnownNodes>();
        services.AddHostedService(provider => provider.GetRequiredService<KnownNodes>());
        services.AddSingleton<IRateLimiter, RedisRateLimiter>();
    }
}
