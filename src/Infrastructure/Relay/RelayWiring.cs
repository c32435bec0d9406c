using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Vtp.Application.Tracker.Relay;
using Vtp.Infrastructure.Notices;
using Vtp.Infrastructure.Redis;

namespace Vtp.Infrastructure.Relay;

internal static class RelayWiring
{
    public static void AddRelay(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<RelayOptions>().Bind(configuration.GetSection("Relay"))
            .Validate(options => options.IsSound, "Relay: messages must fit into a queue, a queue into the memory, and Patience must lie between 0.1 and 60 seconds.")
            .ValidateOnStart();
        services.AddSingleton<RelayNodes>();
        services.AddSingleton(provider => new NoticeChannel(RelayNodes.Channel, provider.GetRequiredService<RelayNodes>().WakeSigns));
        services.AddRedisTransport(configuration);
        services.AddSingleton<PostgresRelayTransport>();
        services.AddSingleton<IRelayTransport>(provider => provider.GetRequiredService<PostgresRelayTransport>());
        services.AddSingleton(provider => provider.GetRequiredService<PostgresRelayTransport>() is var transport
            ? new NoticeChannel(PostgresRelayTransport.Channel, transport.Heard, transport.Wake, () => { })
            : null!);
        services.AddSingleton<RelayMesh>();
        services.AddSingleton(provider => new RelayHub(
            provider.GetRequiredService<RelayMesh>(),
            provider.GetRequiredService<IOptions<RelayOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RelayHub>>()));
        services.AddSingleton<IRelay>(provider => provider.GetRequiredService<RelayHub>());

        // Who receives is there before somebody may send.
        services.AddHostedService(provider => provider.GetRequiredService<RelayHub>());
        services.AddHostedService(provider => provider.GetRequiredService<PostgresRelayTransport>());
        services.AddHostedService(provider => provider.GetRequiredService<RelayNodes>());
    }

    private static void AddRedisTransport(this IServiceCollection services, IConfiguration configuration)
    {
        if (RedisOptions.Read(configuration) is not { } options)
        {
            return;
        }

        options.ClientName = "vtp-relay";
        services.AddSingleton(provider => new RedisRelayTransport(new RedisConnection(
            options, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RedisConnection>>())));
        services.AddSingleton<IRelayTransport>(provider => provider.GetRequiredService<RedisRelayTransport>());
        services.AddHostedService(provider => provider.GetRequiredService<RedisRelayTransport>());
    }
}
