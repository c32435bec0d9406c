using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Performance;

/// <summary>Response times and errors by endpoint, those with the highest p95 first. Of the node that answers.</summary>
[Requires(Permission.Operate)]
public sealed record GetEndpointPerformanceQuery : IQuery<EndpointPerformanceList>;

public sealed record EndpointPerformanceList(string Node, DateTimeOffset Since, IReadOnlyList<EndpointPerformance> Data);

/// <param name="Route">The template, never what stood in its place; <c>(none)</c> for addresses of nothing.</param>
/// <param name="Requests">Since the start.</param>
/// <param name="Errors">Answers from 500 on.</param>
/// <param name="Refused">Answers from 400 to 499.</param>
/// <param name="Slow">Requests that took longer than two seconds, those that wait on purpose left out.</param>
/// <param name="ResponseTime">Of the last 1000 of this endpoint.</param>
/// <param name="LastMs">Of the last one.</param>
public sealed record EndpointPerformance(
    string Method, string Route, long Requests, long Errors, long Refused, long Slow, ResponseTimes ResponseTime, double? LastMs, DateTimeOffset LastAt);

internal sealed class GetEndpointPerformanceHandler(IPerformance performance)
    : IRequestHandler<GetEndpointPerformanceQuery, Result<EndpointPerformanceList>>
{
    public Task<Result<EndpointPerformanceList>> Handle(GetEndpointPerformanceQuery request, CancellationToken cancellationToken)
    {
        var metrics = performance.Read();
        return Task.FromResult<Result<EndpointPerformanceList>>(new EndpointPerformanceList(metrics.Node, metrics.Since, performance.Endpoints()));
    }
}
