using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vtp.Application.Operations;

namespace Vtp.Infrastructure.Redis;

internal static class RedisWiring
{
    /// <summary>A <see cref="RedisConnection"/> where Redis is configured, else none: whoever can use one asks for it with GetService.</summary>
    public static void AddRedis(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<IRedisStatus>(provider => new RedisStatus(provider.GetService<RedisConnection>()));
        if (RedisOptions.Read(configuration) is not { } options)
        {
            return;
        }

        services.AddSingleton(provider => new RedisConnection(
            options, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RedisConnection>>()));
        services.AddHostedService(provider => provider.GetRequiredService<RedisConnection>());
    }
}
