using OpenTelemetry;
using OpenTelemetry.Trace;
using Vtp.Application.Common.Pipeline;

namespace Vtp.Infrastructure.Observability;

/// <summary>Spans of requests, use cases, statements, jobs and webhook attempts, for a collector where one is set.</summary>
internal sealed class NodeTraces(Otlp otlp, TimeProvider clock) : IDisposable
{
    private readonly TracerProvider? _provider = otlp.SendsTraces ? Build(otlp, clock) : null;

    public void Dispose() => _provider?.Dispose();

    private static TracerProvider Build(Otlp otlp, TimeProvider clock)
    {
        var builder = Sdk.CreateTracerProviderBuilder().AddSource(Telemetry.Name, "Microsoft.AspNetCore", "Npgsql").ConfigureResource(otlp.Describe);
        return otlp.AddTo(otlp.HasSampler ? builder : builder.SetSampler(new PacedSampler(clock))).Build();
    }
}
