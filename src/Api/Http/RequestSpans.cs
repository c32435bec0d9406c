using System.Diagnostics;
using Microsoft.AspNetCore.Diagnostics;

namespace Vtp.Api.Http;

/// <summary>What the span of a request says: its route, and never its path, query or headers, which may hold tokens.</summary>
internal static class RequestSpans
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal) { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

    /// <summary>Before everything else, so that an answer has the status that it will keep when it comes back here.</summary>
    public static void UseRequestSpans(this WebApplication app) => app.Use((context, next) =>
        Activity.Current is { IsAllDataRequested: true } span ? DescribeAsync(span, context, next) : next(context));

    private static async Task DescribeAsync(Activity span, HttpContext context, RequestDelegate next)
    {
        if (IsProbe(context.Request.Path))
        {
            // Nor anything below it: they come every few seconds, and tell nothing.
            span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            span.IsAllDataRequested = false;
            await next(context);
            return;
        }

        var method = Known.Contains(context.Request.Method) ? context.Request.Method : "_OTHER";
        await next(context);
        var endpoint = context.Features.Get<IExceptionHandlerFeature>()?.Endpoint ?? context.GetEndpoint();
        var route = (endpoint as RouteEndpoint)?.RoutePattern.RawText;
        span.DisplayName = route is null ? method : $"{method} {route}";
        span.SetTag("http.request.method", method).SetTag("http.route", route).SetTag("http.response.status_code", context.Response.StatusCode);
        if (context.Response.StatusCode >= StatusCodes.Status500InternalServerError)
        {
            span.SetStatus(ActivityStatusCode.Error);
        }
    }

    private static bool IsProbe(PathString path) =>
        path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments("/metrics", StringComparison.OrdinalIgnoreCase);
}
