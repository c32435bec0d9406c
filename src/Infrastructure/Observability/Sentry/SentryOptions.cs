using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Vtp.Infrastructure.Observability.Sentry;

/// <summary>By the variables that Sentry's own SDKs read.</summary>
/// <param name="Endpoint">Where envelopes are posted.</param>
/// <param name="Key">Says whose they are; it only lets one send.</param>
/// <param name="SampleRate">The share of errors that is sent.</param>
internal sealed record SentryOptions(Uri Endpoint, string Key, string Environment, string Release, double SampleRate)
{
    private const string Form = "https://key@sentry.example.com/1";

    /// <returns>Null when errors stay here.</returns>
    public static SentryOptions? Read(IConfiguration configuration)
    {
        if (configuration["SENTRY_DSN"] is not { Length: > 0 } dsn)
        {
            return null;
        }

        // The DSN is not repeated: its key is nobody's business in a log.
        if (!Uri.TryCreate(dsn, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            throw new StartupFault($"SENTRY_DSN cannot be read: it looks like {Form}.");
        }

        var key = url.UserInfo.Split(':')[0];
        var path = url.AbsolutePath.TrimEnd('/');
        var (prefix, project) = (path[..(path.LastIndexOf('/') + 1)], path[(path.LastIndexOf('/') + 1)..]);
        if (key.Length == 0 || !key.All(char.IsAsciiLetterOrDigit) || project.Length == 0 || !project.All(char.IsAsciiDigit))
        {
            throw new StartupFault($"SENTRY_DSN cannot be read: it looks like {Form}.");
        }

        return new SentryOptions(
            new UriBuilder(url.Scheme, url.Host, url.Port, $"{prefix}api/{project}/envelope/").Uri,
            key,
            configuration["SENTRY_ENVIRONMENT"] is { Length: > 0 } environment ? environment : "production",
            configuration["SENTRY_RELEASE"] is { Length: > 0 } release ? release : $"vtp@{Otlp.Version}",
            Rate(configuration["SENTRY_SAMPLE_RATE"]));
    }

    private static double Rate(string? text) =>
        text is null or "" ? 1
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) && rate is >= 0 and <= 1 ? rate
        : throw new StartupFault($"SENTRY_SAMPLE_RATE is '{text}', not a share from 0 to 1.");
}
