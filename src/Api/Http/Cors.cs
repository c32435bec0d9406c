using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Vtp.Infrastructure;

namespace Vtp.Api.Http;

/// <summary>
/// Which web sites may use the API from a browser: those that configuration names, letter for letter. Never all of them, for
/// they are answered with credentials. The console is a site of this server, and no other may read it.
/// </summary>
internal static class Cors
{
    private const string Setting = "Cors:Origins";
    private static readonly TimeSpan PreflightsAreKept = TimeSpan.FromDays(1);
    private static readonly string[] Aliases = ["CORS_ORIGINS", "ALLOWED_ORIGINS"];
    private static readonly string[] Paths = ["/api", "/openapi", "/.well-known", "/socket.io"];

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

    private static readonly string[] RequestHeaders =
    [
        HeaderNames.Accept, HeaderNames.Authorization, HeaderNames.ContentType, HeaderNames.IfMatch, HeaderNames.IfNoneMatch, HeaderNames.Range,
        HeaderNames.TraceParent, "Idempotency-Key", "Last-Event-ID", "X-API-Key", "X-Pulse-Key", "X-Pulse-Secret", HeaderNames.XRequestedWith,
    ];

    private static readonly string[] AnswerHeaders =
    [
        Limits.Header, Limits.PolicyHeader, HeaderNames.RetryAfter, "X-Request-ID", HeaderNames.ETag, HeaderNames.Location, HeaderNames.ContentDisposition,
        HeaderNames.ContentRange,
    ];

    public static void AddOrigins(this WebApplicationBuilder builder)
    {
        if (Origins(builder.Configuration) is { Length: > 0 } origins)
        {
            builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
                .WithOrigins(origins)
                .WithMethods(Methods)
                .WithHeaders(RequestHeaders)
                .WithExposedHeaders(AnswerHeaders)
                .AllowCredentials()
                .SetPreflightMaxAge(PreflightsAreKept)));
        }
    }

    /// <summary>Before anything refuses: a site that may not read a refusal cannot tell its people why.</summary>
    public static void UseOrigins(this WebApplication app)
    {
        if (app.Services.GetService<ICorsService>() is not null)
        {
            app.UseWhen(
                context => Array.Exists(Paths, path => context.Request.Path.StartsWithSegments(path, StringComparison.OrdinalIgnoreCase)),
                api => api.UseCors());
        }
    }

    /// <summary>
    /// WebSockets know no CORS: whoever opens one asks here. No origin at all is no browser; the server's own is the one that is
    /// configured, else the one that the request was sent to.
    /// </summary>
    public static bool AllowsOrigin(HttpContext context)
    {
        var origin = context.Request.Headers.Origin;
        return origin.Count == 0
            || (origin is [{ } only] && (string.Equals(only, OwnOrigin(context), StringComparison.OrdinalIgnoreCase)
                || context.RequestServices.GetService<IOptions<CorsOptions>>()?.Value is { } cors && cors.GetPolicy(cors.DefaultPolicyName)?.IsOriginAllowed(only) == true));
    }

    private static string OwnOrigin(HttpContext context) =>
        context.RequestServices.GetRequiredService<IConfiguration>()["PublicUrl"] is { Length: > 0 } own && Uri.TryCreate(own, UriKind.Absolute, out var url)
            ? url.GetLeftPart(UriPartial.Authority)
            : $"{context.Request.Scheme}://{context.Request.Host}";

    private static string[] Origins(ConfigurationManager configuration) =>
        [.. (Aliases.Prepend(Setting).Select(name => configuration[name]).FirstOrDefault(value => value is { Length: > 0 }) ?? "")
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(Origin)];

    /// <summary>As browsers write it.</summary>
    private static string Origin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
        && url is { AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" }
        && !url.Host.Contains('*', StringComparison.Ordinal)
            ? url.GetLeftPart(UriPartial.Authority)
            : throw new StartupFault($"{Setting}: '{text}' is no origin like https://app.example.com; each is named, for there is no wildcard.");
}
