using Microsoft.AspNetCore.Diagnostics;
using Vtp.Infrastructure.Performance;

namespace Vtp.Api.Http;

/// <summary>Times every request, errors and unknown addresses included.</summary>
internal static class RequestLogging
{
    /// <summary>Outside of everything that answers, so that it sees what the client sees.</summary>
    public static void UseRequestLog(this WebApplication app)
    {
        var log = app.Services.GetRequiredService<RequestLog>();
        var clock = app.Services.GetRequiredService<TimeProvider>();
        app.Use(async (context, next) =>
        {
            var started = clock.GetTimestamp();
            try
            {
                await next(context);
            }
            finally
            {
                log.Add(context.Request.Method, RouteOf(context), context.Response.StatusCode, clock.GetElapsedTime(started), HasWaited(context));
            }
        });
    }

    /// <summary>A request that waits because its client asked for it is not slow.</summary>
    public static void WaitsOnPurpose(this HttpContext context) => context.Features.Set(new Waits());

    private static bool HasWaited(HttpContext context) =>
        context.Response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || context.Features.Get<Waits>() is not null
        || context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Whoever handles exceptions forgets the endpoint, and says which it was.</summary>
    private static string? RouteOf(HttpContext context) =>
        ((context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint) as RouteEndpoint)?.RoutePattern.RawText is { } route
            ? route is "/" ? route : route.TrimEnd('/')
            : null;

    private sealed class Waits;
}
