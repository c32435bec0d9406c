using System.Diagnostics;
using System.Diagnostics.Metrics;
using Vtp.Application.Common.Pipeline;

namespace Vtp.Infrastructure.Observability;

/// <summary>What the run time does not say of itself: when this process began, and of which version it is.</summary>
internal sealed class ProcessMetrics : IDisposable
{
    private readonly Meter _meter = new(Telemetry.Name);

    public ProcessMetrics()
    {
        using var process = Process.GetCurrentProcess();
        var started = new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0;
        _meter.CreateObservableGauge("vtp.process.start_time", () => started, "s", "When the process began, in seconds since 1970.");
        _meter.CreateObservableGauge(
            "vtp.build.info", () => new Measurement<int>(1, new KeyValuePair<string, object?>("version", Otlp.Version)), description: "Always 1; the label is what counts.");
    }

    public void Dispose() => _meter.Dispose();
}
