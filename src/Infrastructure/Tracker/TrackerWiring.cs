using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Tracker;

namespace Vtp.Infrastructure.Tracker;

internal static class TrackerWiring
{
    public static void AddTracker(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(TrackerOptions.Read(configuration));
        services.AddSingleton<TrackerKeys>();
        services.AddSingleton<ITrackerKeys>(provider => provider.GetRequiredService<TrackerKeys>());
        services.AddHostedService(provider => provider.GetRequiredService<TrackerKeys>());
    }
}
