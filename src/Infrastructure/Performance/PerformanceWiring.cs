using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Operations.Performance;
using Vtp.Application.Operations.Profiling;
using Vtp.Infrastructure.Profiling;

namespace Vtp.Infrastructure.Performance;

internal static class PerformanceWiring
{
    public static void AddPerformance(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<PerformanceOptions>().Bind(configuration.GetSection("Performance"))
            .Validate(
                options => options.SlowQuery >= TimeSpan.FromMilliseconds(1) && options.SlowQuery <= TimeSpan.FromHours(1),
                "Performance:SlowQuery must lie between 1 millisecond and an hour.")
            .Validate(options => options.AreAlertsKnown, "Performance:Alerts has a name that is no rule, or a number below 0.")
            .ValidateOnStart();
        services.AddMetrics();
        services.AddSingleton<RequestLog>();
        services.AddSingleton<QueryLog>();
        services.AddSingleton<MeterReadings>();
        services.AddSingleton<PerformanceMonitor>();
        services.AddSingleton<IPerformance>(provider => provider.GetRequiredService<PerformanceMonitor>());
        services.AddSingleton<IDatabasePerformance, DatabasePerformanceReader>();
        services.AddSingleton<PerformanceWatch>();
        services.AddSingleton<IProfiler, Profiler>();
        services.AddHostedService(provider => provider.GetRequiredService<QueryLog>());
        services.AddHostedService(provider => provider.GetRequiredService<MeterReadings>());
        services.AddHostedService(provider => provider.GetRequiredService<PerformanceWatch>());
    }
}
