using Microsoft.AspNetCore.Http.Extensions;
using Vtp.Infrastructure;

namespace Vtp.Api.Http;

/// <summary>
/// Sends whoever came over http to PublicUrl, where configuration says so: to its host and never to one that a client names.
/// </summary>
internal static partial class HttpsRedirect
{
    private const string Setting = "RedirectToHttps";

    /// <summary>After the proxies were asked how their clients came.</summary>
    public static void UseHttpsRedirect(this WebApplication app)
    {
        if (!app.Configuration.GetValue(Setting, defaultValue: false))
        {
            return;
        }

        var target = Target(app.Configuration["PublicUrl"]);
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Vtp.Api.Http.HttpsRedirect");
        var isWarned = 0;
        app.Use((context, next) =>
        {
            if (context.Request.IsHttps || IsProbe(context.Request))
            {
                return next(context);
            }

            // A trusted proxy's word would be gone from here. To redirect on that of any other, that has TLS already, would go
            // round in circles; whoever forges it stays on http, which is their own affair.
            if (context.Request.Headers["X-Forwarded-Proto"].ToString().Equals(Uri.UriSchemeHttps, StringComparison.OrdinalIgnoreCase))
            {
                if (Interlocked.Exchange(ref isWarned, 1) == 0)
                {
                    LogUntrusted(logger);
                }

                return next(context);
            }

            context.WriteStandardHeaders();
            context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
            context.Response.Headers.Location = UriHelper.BuildAbsolute(
                target.Scheme, new HostString(target.Authority), context.Request.PathBase, context.Request.Path, context.Request.QueryString);
            return Task.CompletedTask;
        });
    }

    private static Uri Target(string? publicUrl) =>
        Uri.TryCreate(publicUrl, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps
            ? url
            : throw new StartupFault($"{Setting} needs a PublicUrl that begins with https://, which is where it leads.");

    /// <summary>Orchestrators ask the node itself, which has no certificate.</summary>
    private static bool IsProbe(HttpRequest request) => request.Path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A proxy that TrustedProxies does not name says that its client came over https: nobody it sends is redirected")]
    private static partial void LogUntrusted(ILogger logger);
}
