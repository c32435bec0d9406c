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
        services.AddSingleton(new NodeSign(Guid.NewGuid().ToString()));
        services.AddSingleton<KnownNodes>();
        services.AddHostedService(provider => provider.GetRequiredService<KnownNodes>());
        if (services.Any(service => service.ServiceType == typeof(RedisConnection)))
        {
            services.AddSingleton<IRateLimiter, RedisRateLimiter>();
            return;
        }

        services.AddSingleton<IRateLimiter>(provider => provider.GetRequiredService<KnownNodes>() is var known
            ? new MemoryRateLimiter(
                provider.GetRequiredService<RateLimitSettings>(), provider.GetRequiredService<LocalBudgets>(), () => known.Count, provider.GetRequiredService<RateLimitMetrics>())
            : null!);
    }
}
