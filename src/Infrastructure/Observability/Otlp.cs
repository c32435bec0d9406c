using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Vtp.Infrastructure.Observability;

/// <summary>
/// Where a collector is, if the operator has one, by the variables that every OpenTelemetry SDK reads:
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> for all signals, or one of <c>OTEL_EXPORTER_OTLP_{TRACES,METRICS,LOGS}_ENDPOINT</c>. A
/// signal whose <c>OTEL_{TRACES,METRICS,LOGS}_EXPORTER</c> is <c>none</c> stays here.
/// </summary>
internal sealed class Otlp
{
    public static readonly string Version =
        typeof(Otlp).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private const string Everything = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private readonly IConfiguration _configuration;

    public Otlp(IConfiguration configuration)
    {
        _configuration = configuration;
        (SendsTraces, SendsMetrics, SendsLogs) = (IsOn("TRACES"), IsOn("METRICS"), IsOn("LOGS"));
    }

    public bool SendsTraces { get; }

    public bool SendsMetrics { get; }

    public bool SendsLogs { get; }

    public bool HasSampler => _configuration["OTEL_TRACES_SAMPLER"] is { Length: > 0 };

    public void Describe(ResourceBuilder resource) => resource.AddService(
        _configuration["OTEL_SERVICE_NAME"] is { Length: > 0 } name ? name : "vtp",
        serviceVersion: Version,
        autoGenerateServiceInstanceId: false,
        serviceInstanceId: _configuration["INSTANCE_ID"] is { Length: > 0 } instance ? instance : Environment.MachineName);

    public MeterProviderBuilder AddTo(MeterProviderBuilder builder) =>
        SendsMetrics ? builder.ConfigureServices(Configured).AddOtlpExporter(Choose) : builder;

    public TracerProviderBuilder AddTo(TracerProviderBuilder builder) =>
        builder.ConfigureServices(Configured).AddOtlpExporter(Choose);

    public LoggerProviderBuilder AddTo(LoggerProviderBuilder builder) =>
        builder.ConfigureServices(Configured).AddOtlpExporter(Choose);

    // The server's settings, so that appsettings.json will do as well.
    private void Configured(IServiceCollection services) => services.AddSingleton(_configuration);

    // HTTP passes through every proxy; the variable chooses gRPC.
    private void Choose(OtlpExporterOptions exporter)
    {
        if (_configuration["OTEL_EXPORTER_OTLP_PROTOCOL"] is not { Length: > 0 })
        {
            exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        }
    }

    private bool IsOn(string signal)
    {
        var own = $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT";
        var name = _configuration[own] is { Length: > 0 } ? own : Everything;
        if (_configuration[name] is not { Length: > 0 } address
            || string.Equals(_configuration[$"OTEL_{signal}_EXPORTER"], "none", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        return Uri.TryCreate(address, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            ? true
            : throw new StartupFault($"{name} is no address like http://collector.example.com:4318.");
    }
}
