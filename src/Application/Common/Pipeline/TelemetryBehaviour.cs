using System.Diagnostics;
using System.Diagnostics.Metrics;
using MediatR;
using Microsoft.Extensions.Logging;
using Vtp.Domain.Common;

namespace Vtp.Application.Common.Pipeline;

/// <summary>One span and one duration per use case. Names, outcomes and the caller's id; never what was sent.</summary>
internal sealed partial class TelemetryBehaviour<TRequest, TResponse>(
    ICaller caller, TimeProvider clock, ILogger<TelemetryBehaviour<TRequest, TResponse>> logger)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IResult<TResponse>
{
    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        using var span = Telemetry.Source.StartActivity(typeof(TRequest).Name);
        var started = clock.GetTimestamp();
        var outcome = "failed";
        try
        {
            var result = await next();
            outcome = result.Refusal?.Code ?? "answered";
            return result;
        }
        finally
        {
            var elapsed = clock.GetElapsedTime(started);
            span?.SetTag("vtp.outcome", outcome);
            Telemetry.Duration.Record(
                elapsed.TotalSeconds,
                new KeyValuePair<string, object?>("use_case", typeof(TRequest).Name),
                new KeyValuePair<string, object?>("outcome", outcome));
            LogRun(typeof(TRequest).Name, caller.SignedIn?.AccountId.Value, outcome, elapsed.TotalMilliseconds);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{UseCase} by {Caller}: {Outcome} in {Milliseconds} ms")]
    private partial void LogRun(string useCase, Guid? caller, string outcome, double milliseconds);
}

public static class Telemetry
{
    public const string Name = "Vtp";

    public static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    internal static readonly Histogram<double> Duration =
        Meter.CreateHistogram<double>("vtp.use_case.duration", "s", "How long a use case took, by its name and outcome.");
}
