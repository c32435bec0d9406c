using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Infrastructure.Realtime.Dashboard;
using Vtp.Infrastructure.Redis;

namespace Vtp.Infrastructure.Realtime;

internal static class RealtimeWiring
{
    /// <summary>After the cache, whose prefix names keys and channels in Redis.</summary>
    public static void AddRealtime(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<RealtimeOptions>().Bind(configuration.GetSection("Realtime"))
            .Validate(
                options => options.Backplane is null or RealtimeOptions.Redis or RealtimeOptions.Postgres or RealtimeOptions.Memory,
                "Realtime:Backplane is redis, postgres or memory.")
            .Validate(options => options.HistoryFor >= TimeSpan.FromSeconds(1) && options.HistoryFor <= TimeSpan.FromHours(1), "Realtime:HistoryFor must lie between a second and an hour.")
            .Validate(options => options.HistoryMessages is >= 1 and <= 100_000, "Realtime:HistoryMessages must lie between 1 and 100000.")
            .Validate(options => options.PingInterval >= TimeSpan.FromMilliseconds(100) && options.PingInterval <= TimeSpan.FromMinutes(5), "Realtime:PingInterval must lie between 100 milliseconds and 5 minutes.")
            .Validate(options => options.PingTimeout >= TimeSpan.FromMilliseconds(100) && options.PingTimeout <= TimeSpan.FromMinutes(5), "Realtime:PingTimeout must lie between 100 milliseconds and 5 minutes.")
            .Validate(options => options.ConnectTimeout > TimeSpan.Zero, "Realtime:ConnectTimeout must be above zero.")
            .Validate(options => options.MaximumPayload is >= 1024 and <= 100_000_000, "Realtime:MaximumPayload must lie between 1024 and 100000000.")
            .Validate(options => options.MaximumQueuedBytes >= 1024, "Realtime:MaximumQueuedBytes must be 1024 or more.")
            .Validate(
                options => options is { MaximumConnections: >= 1, ConnectionsPerAddress: >= 1, ConnectionsPerCaller: >= 1, MessagesPerSecond: >= 1, MessageBurst: >= 0 },
                "Realtime:MaximumConnections, ConnectionsPerAddress, ConnectionsPerCaller and MessagesPerSecond must be 1 or more.")
            .ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<RealtimeOptions>>().Value);
        services.AddSingleton<RealtimeMetrics>();
        services.AddSingleton<TopicStore>();
        services.AddSingleton<IEventWatch>(provider => provider.GetRequiredService<TopicStore>());
        services.AddSingleton<EventReader>();
        services.AddHostedService<EventTail>();
        services.AddSingleton<ConnectionSessions>();
        services.AddSingleton<IConnectionSessions>(provider => provider.GetRequiredService<ConnectionSessions>());
        services.AddSingleton<ConnectionCredentials>();
        services.AddSingleton<IConnectionCredentials>(provider => provider.GetRequiredService<ConnectionCredentials>());
        services.AddSingleton<IRealtimeTickets>(provider => provider.GetRequiredService<ConnectionCredentials>());
        services.AddBackplane(configuration);
        services.AddSingleton<TopicHub>();
        services.AddSingleton<ITopics>(provider => provider.GetRequiredService<TopicHub>());
        services.AddHostedService(provider => provider.GetRequiredService<TopicHub>());
        services.AddSingleton<Presence>();
        services.AddSingleton<IPresence>(provider => provider.GetRequiredService<Presence>());
        services.AddHostedService(provider => provider.GetRequiredService<Presence>());
        services.AddHostedService<RealtimeUpkeep>();
        services.AddDashboard();
    }

    private static void AddDashboard(this IServiceCollection services)
    {
        services.AddSingleton<SeenAccounts>();
        services.AddHostedService(provider => provider.GetRequiredService<SeenAccounts>());
        services.AddSingleton<IDashboardAudience, DashboardAudience>();
        services.AddSingleton<DashboardReader>();
        services.AddSingleton<IDashboardReader>(provider => provider.GetRequiredService<DashboardReader>());
        services.AddHostedService<DashboardTicker>();
        services.AddHostedService<ActivityTeller>();
    }

    private static void AddBackplane(this IServiceCollection services, IConfiguration configuration)
    {
        var hasRedis = RedisOptions.Read(configuration) is not null;
        switch (configuration["Realtime:Backplane"] ?? (hasRedis ? RealtimeOptions.Redis : RealtimeOptions.Postgres))
        {
            case RealtimeOptions.Redis when hasRedis:
                services.AddSingleton<RedisBackplane>();
                services.AddSingleton<IBackplane>(provider => provider.GetRequiredService<RedisBackplane>());
                services.AddHostedService<RedisSubscription>();
                break;
            case RealtimeOptions.Redis:
                throw new StartupFault("Realtime:Backplane is redis, and no Redis is configured.");
            case RealtimeOptions.Memory:
                services.AddSingleton<IBackplane, MemoryBackplane>();
                break;
            default:
                services.AddSingleton<PostgresBackplane>();
                services.AddSingleton<IBackplane>(provider => provider.GetRequiredService<PostgresBackplane>());
                services.AddSingleton(provider => provider.GetRequiredService<PostgresBackplane>().NoticeChannel());
                break;
        }
    }

    /// <summary>Started behind the connection itself.</summary>
    private sealed class RedisSubscription(RedisBackplane backplane) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            backplane.Subscribe();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
