using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Vtp.Application.Operations.Metrics;

namespace Vtp.Infrastructure.Observability;

internal static class ObservabilityWiring
{
    public static void AddObservability(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(new Otlp(configuration));
        services.AddSingleton<NodeMetrics>();
        services.AddSingleton<IMetrics>(provider => provider.GetRequiredService<NodeMetrics>());
        services.AddSingleton<ProcessMetrics>();
        services.AddSingleton<NodeTraces>();
        services.AddHostedService<Start>();
        services.AddHostedService<WorkMetrics>();
    }

    /// <summary>Before all other parts: what they count from then on is kept.</summary>
    private sealed class Start(IServiceProvider services) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            services.GetRequiredService<NodeMetrics>();
            services.GetRequiredService<ProcessMetrics>();
            services.GetRequiredService<NodeTraces>();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
