using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Vtp.Application.Common.Caching;
using Vtp.Application.Operations.Cache;
using Vtp.Infrastructure.Notices;
using Vtp.Infrastructure.Redis;

namespace Vtp.Infrastructure.Caching;

internal static class CacheWiring
{
    /// <summary>After the database and <see cref="RedisWiring.AddRedis"/>, whose connection is made first.</summary>
    public static void AddCache(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<CacheOptions>().Bind(configuration.GetSection("Cache"))
            .Validate(options => options.Prefix.Length is >= 1 and <= 40 && options.Prefix.All(char.IsAsciiLetterOrDigit), "Cache:Prefix must be 1 to 40 letters and digits.")
            .Validate(options => options.MaximumEntries >= 1, "Cache:MaximumEntries must be 1 or more.")
            .Validate(options => options.MaximumBytes >= 1 << 20, "Cache:MaximumBytes must be 1048576 or more.")
            .Validate(
                options => options.SoftTimeout >= TimeSpan.FromMilliseconds(1) && options.SoftTimeout <= options.HardTimeout,
                "Cache:SoftTimeout must lie between 1 millisecond and Cache:HardTimeout.")
            .Validate(options => options.HardTimeout <= TimeSpan.FromMinutes(1), "Cache:HardTimeout must be a minute or less.")
            .Validate(options => options.WarmProjects is >= 0 and <= 100_000, "Cache:WarmProjects must lie between 0 and 100000.")
            .ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<CacheOptions>>().Value);
        services.AddSingleton<Removals>();
        services.AddSingleton<CacheCounts>();
        services.AddSingleton(provider => provider.GetRequiredService<CacheOptions>() is var options
            ? new LocalEntries(options.MaximumEntries, options.MaximumBytes, provider.GetRequiredService<TimeProvider>())
            : null!);
        if (RedisOptions.Read(configuration) is not null)
        {
            services.AddSingleton<RedisEntries>();
        }

        services.AddSingleton<CacheLifetimeWakes>();
        services.AddSingleton<CacheFillWakes>();
        services.AddSingleton(provider => new Nudge(CacheLifetimes.Channel, provider.GetRequiredService<CacheLifetimeWakes>().Wake));
        services.AddSingleton(provider => new Nudge(CacheFilling.Channel, provider.GetRequiredService<CacheFillWakes>().Wake));
        services.AddSingleton<Invalidations>();
        services.AddSingleton(provider => provider.GetRequiredService<Invalidations>() is var invalidations
            ? new NoticeChannel(Invalidations.Channel, invalidations.Heard, invalidations.Listens, invalidations.Deaf)
            : null!);
        services.AddHostedService(provider => provider.GetRequiredService<Invalidations>());
        services.AddSingleton<HybridCache>(provider => new VtpCache(
            provider.GetRequiredService<CacheOptions>(),
            provider.GetRequiredService<LocalEntries>(),
            provider.GetRequiredService<Removals>(),
            provider.GetRequiredService<CacheCounts>(),
            provider.GetRequiredService<Invalidations>().RemoveAsync,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<VtpCache>>(),
            provider.GetService<RedisEntries>()));
        services.AddSingleton<CacheLifetimes>();
        services.AddSingleton<ICacheLifetimes>(provider => provider.GetRequiredService<CacheLifetimes>());
        services.AddHostedService(provider => provider.GetRequiredService<CacheLifetimes>());
        services.AddSingleton<ICacheAdministration, CacheAdministration>();
        services.AddSingleton<IHotProjects, HotProjects>();
        services.AddSingleton<CacheWarming>();
        services.AddHostedService<CacheFilling>();
    }
}
