using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Configuration;
using Vtp.Application.Operations.Metrics;
using Vtp.Infrastructure.Observability;

namespace Vtp.Unit.Observability;

public sealed class NodeMetricsTests : IDisposable
{
    // Any meter whose name begins like ours is collected.
    private readonly Meter _meter = new("vtp.test." + Guid.NewGuid().ToString("N"));
    private readonly NodeMetrics _metrics = new(new Otlp(new ConfigurationBuilder().Build()));

    [Fact]
    public void No_instrument_has_more_series_than_the_limit()
    {
        var counter = _meter.CreateCounter<long>("vtp.test.flood");
        for (var index = 0; index < 10_000; index++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("from", $"client {index}"));
        }

        var series = Lines("vtp_test_flood_total");
        series.Should().HaveCountLessThanOrEqualTo(InstrumentViews.MostSeries + 1);
        series.Should().ContainSingle(line => line.Contains("otel_metric_overflow=\"true\""));
        series.Sum(line => long.Parse(line.Split(' ')[^1])).Should().Be(10_000, "what is beyond the limit is counted too");
    }

    [Fact]
    public void Labels_and_help_are_escaped()
    {
        _meter.CreateCounter<long>("vtp.test.escaped", description: "A back\\slash,\na line").Add(1, new KeyValuePair<string, object?>("odd.name", "a \"quote\", a back\\slash\nand a line"));

        Page().Should().Contain("# HELP vtp_test_escaped_total A back\\\\slash,\\na line\n");
        Lines("vtp_test_escaped_total").Should().Equal("vtp_test_escaped_total{odd_name=\"a \\\"quote\\\", a back\\\\slash\\nand a line\"} 1");
    }

    [Fact]
    public void A_counter_ends_in_total_a_duration_in_seconds_and_what_goes_down_is_a_gauge()
    {
        _meter.CreateCounter<long>("vtp.test.sent", "By").Add(5);
        _meter.CreateUpDownCounter<long>("vtp.test.open").Add(-3);
        _meter.CreateHistogram<double>("vtp.test.took", "s").Record(0.2);

        var page = Page();

        page.Should().Contain("# TYPE vtp_test_sent_bytes_total counter\nvtp_test_sent_bytes_total 5\n")
            .And.Contain("# TYPE vtp_test_open gauge\nvtp_test_open -3\n")
            .And.Contain("vtp_test_took_seconds_bucket{le=\"0.1\"} 0\n").And.Contain("vtp_test_took_seconds_bucket{le=\"0.25\"} 1\n")
            .And.Contain("vtp_test_took_seconds_bucket{le=\"+Inf\"} 1\n").And.Contain("vtp_test_took_seconds_count 1\n");
    }

    [Fact]
    public void Two_instruments_of_one_name_make_one_family()
    {
        using var other = new Meter("vtp.test.other");
        _meter.CreateCounter<long>("vtp.test.twice").Add(1);
        other.CreateCounter<double>("vtp_test_twice").Add(1);

        Page().Split('\n').Where(line => line.StartsWith("# TYPE vtp_test_twice", StringComparison.Ordinal)).Should().ContainSingle();
    }

    [Fact]
    public void An_instrument_that_counted_nothing_has_no_family()
    {
        _meter.CreateCounter<long>("vtp.test.silent");

        Page().Should().NotContain("vtp_test_silent");
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _meter.Dispose();
    }

    private string Page() => Encoding.UTF8.GetString(_metrics.Read(MetricsFormat.Prometheus).Text.Span);

    private string[] Lines(string series) => [.. Page().Split('\n').Where(line => line.StartsWith(series, StringComparison.Ordinal))];
}
