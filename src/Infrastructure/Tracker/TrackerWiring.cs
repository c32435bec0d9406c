using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Tracker;
using Vtp.Application.Tracker.Peers;

namespace Vtp.Infrastructure.Tracker;

internal static class TrackerWiring
{
    public static void AddTracker(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(TrackerOptions.Read(configuration));
        services.AddSingleton<TrackerKeys>();
        services.AddSingleton<ITrackerKeys>(provider => provider.GetRequiredService<TrackerKeys>());
        services.AddSingleton<Memory>();
        services.AddSingleton<TrackerMetrics>();
        services.AddSingleton<ChunkLists>();
        services.AddSingleton<Journal>();
        services.AddSingleton<Sweeper>();
        services.AddSingleton<SwarmBook>();
        services.AddSingleton<ISwarms>(provider => provider.GetRequiredService<SwarmBook>());
        services.AddSingleton<IPeerDirectory>(provider => provider.GetRequiredService<SwarmBook>());
        services.AddSingleton(provider => new PeerAddressPolicy(provider.GetRequiredService<TrackerOptions>().Addresses));
        services.AddHostedService(provider => provider.GetRequiredService<TrackerKeys>());
        services.AddHostedService(provider => provider.GetRequiredService<Journal>());
        services.AddHostedService(provider => provider.GetRequiredService<Sweeper>());
    }
}
