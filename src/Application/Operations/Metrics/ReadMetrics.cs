using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Metrics;

/// <summary>Everything that this node counts, on one page for a monitoring system.</summary>
[Requires(Permission.Operate)]
public sealed record ReadMetricsQuery(MetricsFormat Format) : IQuery<MetricsPage>;

public enum MetricsFormat
{
    /// <summary>Prometheus' own text format, version 0.0.4.</summary>
    Prometheus,

    /// <summary>OpenMetrics 1.0.</summary>
    OpenMetrics,
}

public sealed record MetricsPage(string ContentType, ReadOnlyMemory<byte> Text);

/// <summary>The numbers of this node, since it started.</summary>
public interface IMetrics
{
    MetricsPage Read(MetricsFormat format);
}

internal sealed class ReadMetricsHandler(IMetrics metrics) : IRequestHandler<ReadMetricsQuery, Result<MetricsPage>>
{
    public Task<Result<MetricsPage>> Handle(ReadMetricsQuery request, CancellationToken cancellationToken) =>
        Task.FromResult<Result<MetricsPage>>(metrics.Read(request.Format));
}
