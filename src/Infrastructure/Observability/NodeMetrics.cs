using OpenTelemetry;
using OpenTelemetry.Metrics;
using Vtp.Application.Operations.Metrics;

namespace Vtp.Infrastructure.Observability;

/// <summary>Collects what this node's instruments say: for whoever reads the page, and for a collector where one is set.</summary>
internal sealed class NodeMetrics : IMetrics, IDisposable
{
    private const string PrometheusType = "text/plain; version=0.0.4; charset=utf-8";
    private const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private readonly Lock _lock = new();
    private readonly PageExporter _exporter = new();
    private readonly BaseExportingMetricReader _reader;
    private readonly MeterProvider _provider;

    public NodeMetrics(Otlp otlp)
    {
        _reader = new BaseExportingMetricReader(_exporter) { TemporalityPreference = MetricReaderTemporalityPreference.Cumulative };
        var builder = Sdk.CreateMeterProviderBuilder()
            .AddMeter(InstrumentViews.Meters)
            .AddView(InstrumentViews.Of)
            .ConfigureResource(otlp.Describe)
            .AddReader(_reader);
        _provider = otlp.AddTo(builder).Build();
    }

    public MetricsPage Read(MetricsFormat format)
    {
        lock (_lock)
        {
            _exporter.Page = new PrometheusPage(format);
            _reader.Collect();
            return new MetricsPage(format == MetricsFormat.OpenMetrics ? OpenMetricsType : PrometheusType, _exporter.Page.ToBytes());
        }
    }

    public void Dispose() => _provider.Dispose();

    private sealed class PageExporter : BaseExporter<Metric>
    {
        public PrometheusPage? Page { get; set; }

        public override ExportResult Export(in Batch<Metric> batch)
        {
            foreach (var metric in batch)
            {
                Page?.Add(metric);
            }

            return ExportResult.Success;
        }
    }
}
