using System.Globalization;
using System.Text;
using OpenTelemetry.Metrics;
using Vtp.Application.Operations.Metrics;

namespace Vtp.Infrastructure.Observability;

/// <summary>
/// Writes metrics as Prometheus and OpenMetrics read them. The two differ in how a counter's family is named, in how whole
/// bounds are written, and in the last line.
/// </summary>
internal sealed class PrometheusPage(MetricsFormat format)
{
    private readonly StringBuilder _text = new();
    private readonly HashSet<string> _families = new(StringComparer.Ordinal);

    private bool IsOpenMetrics => format == MetricsFormat.OpenMetrics;

    public void Add(Metric metric)
    {
        var name = PrometheusName.Of(metric.Name, metric.Unit);
        switch (metric.MetricType)
        {
            case MetricType.LongSum:
                Simple(name, name.IsGauge ? "gauge" : "counter", metric, static point => Number(point.GetSumLong()));
                break;
            case MetricType.DoubleSum:
                Simple(name, "counter", metric, static point => Number(point.GetSumDouble()));
                break;
            case MetricType.LongSumNonMonotonic:
                Simple(name, "gauge", metric, static point => Number(point.GetSumLong()));
                break;
            case MetricType.DoubleSumNonMonotonic:
                Simple(name, "gauge", metric, static point => Number(point.GetSumDouble()));
                break;
            case MetricType.LongGauge:
                Simple(name, "gauge", metric, static point => Number(point.GetGaugeLastValueLong()));
                break;
            case MetricType.DoubleGauge:
                Simple(name, "gauge", metric, static point => Number(point.GetGaugeLastValueDouble()));
                break;
            case MetricType.Histogram:
                Histogram(name, metric);
                if (name.CountedAs is { } counted)
                {
                    Simple(name, "counter", metric, static point => Number(point.GetHistogramCount()), counted);
                }

                break;
            default:
                // No instrument of ours makes an exponential histogram, and the formats have no place for one.
                break;
        }
    }

    public byte[] ToBytes()
    {
        if (IsOpenMetrics)
        {
            _text.Append("# EOF\n");
        }

        return Encoding.UTF8.GetBytes(_text.ToString());
    }

    private void Simple(PrometheusName name, string type, Metric metric, Func<MetricPoint, string> value, string? instead = null)
    {
        var family = instead ?? name.Family;
        var series = type == "counter" ? $"{family}_total" : family;
        var isBegun = false;
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            if (!isBegun && !(isBegun = Begin(IsOpenMetrics ? family : series, type, instead is null ? name.Unit : "", metric.Description)))
            {
                return;
            }

            Line(series, Labels(name, point), value(point));
        }
    }

    private void Histogram(PrometheusName name, Metric metric)
    {
        var isBegun = false;
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            if (!isBegun && !(isBegun = Begin(name.Family, "histogram", name.Unit, metric.Description)))
            {
                return;
            }

            var labels = Labels(name, point);
            var upTo = 0L;
            foreach (var bucket in point.GetHistogramBuckets())
            {
                upTo += bucket.BucketCount;
                Line($"{name.Family}_bucket", $"{labels}{(labels.Length == 0 ? "" : ",")}le=\"{Bound(bucket.ExplicitBound)}\"", Number(upTo));
            }

            Line($"{name.Family}_sum", labels, Number(point.GetHistogramSum()));
            Line($"{name.Family}_count", labels, Number(point.GetHistogramCount()));
        }
    }

    /// <returns>False: an instrument before it has the same name, and a page that says it twice is refused whole.</returns>
    private bool Begin(string family, string type, string unit, string description)
    {
        if (!_families.Add(family))
        {
            return false;
        }

        _text.Append(CultureInfo.InvariantCulture, $"# HELP {family} {EscapeHelp(description)}\n# TYPE {family} {type}\n");
        if (IsOpenMetrics && unit.Length > 0 && family.EndsWith($"_{unit}", StringComparison.Ordinal))
        {
            _text.Append(CultureInfo.InvariantCulture, $"# UNIT {family} {unit}\n");
        }

        return true;
    }

    private void Line(string series, string labels, string value)
    {
        _text.Append(series);
        if (labels.Length > 0)
        {
            _text.Append('{').Append(labels).Append('}');
        }

        _text.Append(' ').Append(value).Append('\n');
    }

    private static string Labels(PrometheusName name, in MetricPoint point)
    {
        var labels = new StringBuilder();
        if (name.Labels is null)
        {
            foreach (var tag in point.Tags)
            {
                Label(labels, PrometheusName.Clean(tag.Key), Text(tag.Value));
            }

            return labels.ToString();
        }

        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var tag in point.Tags)
        {
            tags[tag.Key] = Text(tag.Value);
        }

        foreach (var label in name.Labels)
        {
            Label(labels, label.Label, tags.Remove(label.Tag, out var value) && value.Length > 0 ? value : label.Missing);
        }

        // Only the SDK's mark for what is beyond the limit of series.
        foreach (var (tag, value) in tags)
        {
            Label(labels, PrometheusName.Clean(tag), value);
        }

        return labels.ToString();
    }

    private static void Label(StringBuilder labels, string label, string value)
    {
        labels.Append(labels.Length == 0 ? "" : ",").Append(label).Append("=\"");
        foreach (var character in value)
        {
            labels.Append(character switch
            {
                '\\' => @"\\",
                '"' => "\\\"",
                '\n' => @"\n",
                _ => character.ToString(),
            });
        }

        labels.Append('"');
    }

    private static string Text(object? value) => value switch
    {
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private string EscapeHelp(string text)
    {
        var escaped = text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);
        return IsOpenMetrics ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
    }

    private string Bound(double bound)
    {
        var text = Number(bound);
        return IsOpenMetrics && double.IsInteger(bound) ? $"{text}.0" : text;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
