using System.Security.Cryptography;
using System.Text;
using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Application.Operations.Metrics;

namespace Vtp.Api.Endpoints.Operations;

/// <summary>
/// Numbers tell how busy a school is and what the server is made of, so that on the public port they are for administrators
/// and for whoever holds <c>Metrics__Token</c>. Where there is an internal port they are there alone, for all who reach it.
/// </summary>
internal static class MetricsEndpoints
{
    private const string Path = "/metrics";
    private const string Scheme = "Bearer ";

    // So that it is not guessed.
    private const int ShortestToken = 16;

    public static void MapMetrics(this WebApplication app)
    {
        var token = app.Configuration["Metrics:Token"] is { Length: > 0 } configured ? Encoding.UTF8.GetBytes(configured) : null;
        if (token is { Length: < ShortestToken })
        {
            throw new Infrastructure.StartupFault($"Metrics:Token needs {ShortestToken} characters or more.");
        }

        if (InternalServer.PortOf(app.Configuration) is null)
        {
            app.MapGet(Path, (HttpContext context, IMediator mediator, IMetrics metrics, CancellationToken ct) => Read(context, token, mediator, metrics, ct))
                .ExcludeFromDescription().DisableHttpMetrics().WithMetadata(new UseCaseMetadata(typeof(ReadMetricsQuery)), new NeverStoredMetadata());
        }
    }

    /// <summary>On the internal port, which is not reached from outside.</summary>
    public static void MapInternalMetrics(this IEndpointRouteBuilder app, IMetrics metrics) =>
        app.MapGet(Path, (HttpRequest request) => Answer(metrics.Read(FormatOf(request)))).DisableHttpMetrics();

    private static async Task<Results<FileContentHttpResult, RefusedHttpResult>> Read(
        HttpContext context, byte[]? token, IMediator mediator, IMetrics metrics, CancellationToken ct)
    {
        var format = FormatOf(context.Request);
        if (token is not null && context.Request.Headers.Authorization is [{ } value] && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(value[Scheme.Length..]), token))
        {
            return Answer(metrics.Read(format));
        }

        return (await mediator.Send(new ReadMetricsQuery(format), ct)).Match<Results<FileContentHttpResult, RefusedHttpResult>>(
            page => Answer(page), refusal => new RefusedHttpResult(refusal));
    }

    /// <summary>OpenMetrics for those who like it at least as well as the older format.</summary>
    private static MetricsFormat FormatOf(HttpRequest request)
    {
        var (open, plain) = (0.0, 0.0);
        foreach (var type in request.GetTypedHeaders().Accept)
        {
            var quality = type.Quality ?? 1;
            if (type.MediaType.Equals("application/openmetrics-text", StringComparison.OrdinalIgnoreCase))
            {
                open = Math.Max(open, quality);
            }
            else if (type.MediaType.Equals("text/plain", StringComparison.OrdinalIgnoreCase))
            {
                plain = Math.Max(plain, quality);
            }
        }

        return open > 0 && open >= plain ? MetricsFormat.OpenMetrics : MetricsFormat.Prometheus;
    }

    private static FileContentHttpResult Answer(MetricsPage page) => TypedResults.File(page.Text.ToArray(), page.ContentType);
}
