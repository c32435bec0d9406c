using System.Globalization;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Vtp.Infrastructure.Redis;

/// <summary>
/// Where Redis is, if the operator has one: <c>ConnectionStrings__Redis</c> (<c>redis.example.com:6379,password=secret</c>),
/// else <c>REDIS_URL</c> (<c>redis://:secret@redis.example.com:6379/0</c>, <c>rediss</c> for TLS), else <c>REDIS_HOST</c>
/// with <c>REDIS_PORT</c>, <c>REDIS_PASSWORD</c> and <c>REDIS_DB</c>.
/// </summary>
internal static class RedisOptions
{
    private const int DefaultPort = 6379;

    // Whoever asks Redis has something else to do when it does not answer.
    private const int ConnectTimeoutMilliseconds = 2_000;
    private const int AnswerTimeoutMilliseconds = 1_000;

    /// <returns>Null when this installation has no Redis.</returns>
    public static ConfigurationOptions? Read(IConfiguration configuration)
    {
        if (ReadAddress(configuration) is not { } options)
        {
            return null;
        }

        options.AbortOnConnectFail = false;
        options.ConnectTimeout = ConnectTimeoutMilliseconds;
        options.SyncTimeout = AnswerTimeoutMilliseconds;
        options.ResponseTimeout = AnswerTimeoutMilliseconds;
        options.ReconnectRetryPolicy = new LinearRetry(ConnectTimeoutMilliseconds / 4);
        options.ClientName = "vtp";
        return options;
    }

    private static ConfigurationOptions? ReadAddress(IConfiguration configuration)
    {
        if (configuration.GetConnectionString("Redis") is { Length: > 0 } connectionString)
        {
            return Parse(connectionString);
        }

        if (configuration["REDIS_URL"] is { Length: > 0 } url)
        {
            return FromUrl(url);
        }

        return configuration["REDIS_HOST"] is { Length: > 0 } host
            ? At(host, Number(configuration, "REDIS_PORT", DefaultPort), Number(configuration, "REDIS_DB", 0), configuration["REDIS_PASSWORD"])
            : null;
    }

    private static ConfigurationOptions Parse(string connectionString)
    {
        ConfigurationOptions? options;
        try
        {
            options = ConfigurationOptions.Parse(connectionString);
        }
        catch (ArgumentException)
        {
            options = null; // What it says may quote the password.
        }

        return options is { EndPoints.Count: > 0 }
            ? options
            : throw new StartupFault("ConnectionStrings__Redis cannot be read: it looks like redis.example.com:6379,password=secret.");
    }

    private static ConfigurationOptions FromUrl(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("redis" or "rediss") || url.Host.Length == 0)
        {
            throw new StartupFault("REDIS_URL cannot be read: it looks like redis://:secret@redis.example.com:6379/0.");
        }

        var password = Uri.UnescapeDataString(url.UserInfo[(url.UserInfo.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        var path = url.AbsolutePath.Trim('/');
        if (!int.TryParse(path.Length == 0 ? "0" : path, NumberStyles.None, CultureInfo.InvariantCulture, out var database))
        {
            throw new StartupFault("REDIS_URL ends in the number of a database, like /0.");
        }

        var options = At(url.Host, url.IsDefaultPort ? DefaultPort : url.Port, database, password);
        options.Ssl = url.Scheme == "rediss";
        options.SslHost = options.Ssl ? url.Host : null;
        return options;
    }

    private static ConfigurationOptions At(string host, int port, int database, string? password) => new()
    {
        EndPoints = { { host, port } },
        DefaultDatabase = database,
        Password = password is { Length: > 0 } ? password : null,
    };

    private static int Number(IConfiguration configuration, string name, int fallback) => configuration[name] switch
    {
        null or "" => fallback,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        var text => throw new StartupFault($"{name} is '{text}', not a number."),
    };
}
