using System.Globalization;

namespace Vtp.Benchmarks;

/// <summary>What being watched costs: a server with all of it on, and one with none, driven in turns.</summary>
internal static class TelemetryDrive
{
    private const int Rounds = 5;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Run = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(CancellationToken ct)
    {
        await using var database = await TemporaryPostgres.StartAsync(ct);
        await using var collector = await Sink.StartAsync(ct);
        await using var quiet = await Drive.StartVtpAsync(database, ct);
        await using var watched = await Drive.StartVtpAsync(
            database,
            ct,
            new("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Url),
            new("Logging__Format", "json"),
            new("SENTRY_DSN", $"{collector.Url.Replace("://", "://bench@", StringComparison.Ordinal).TrimEnd('/')}/1"),
            new("Metrics__Token", Token));
        Say("Registering people.");
        var people = await Drive.RegisterAsync(quiet.Url, ct);
        string[] profiles = [.. people.Select(person => Load.Request("GET", "/api/v1/auth/profile", person.AccessToken))];
        var (with, without) = (new List<Load>(), new List<Load>());
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", Token);

        Say("Warming up.");
        await Load.WrkAsync(quiet.Url, profiles, WarmUp, ct);
        await Load.WrkAsync(watched.Url, profiles, WarmUp, ct);
        for (var round = 1; round <= Rounds; round++)
        {
            Say($"Round {round} of {Rounds}.");
            without.Add(await Load.WrkAsync(quiet.Url, profiles, Run, ct));

            // Scraped three times as often as Prometheus does by default.
            var load = Load.WrkAsync(watched.Url, profiles, Run, ct);
            _ = await http.GetStringAsync(new Uri(watched.Url, "/metrics"), ct);
            with.Add(await load);
        }

        var share = Row.Median(with.Zip(without, (one, other) => one.PerSecond / other.PerSecond));
        var output = Console.Out;
        await output.WriteLineAsync("| `GET /api/v1/auth/profile` | req/s | p50 ms | p99 ms | failed |");
        await output.WriteLineAsync("|---|---:|---:|---:|---:|");
        await output.WriteLineAsync(Line("nothing collected", without));
        await output.WriteLineAsync(Line("traces, metrics and logs to a collector, JSON logs, Sentry, scraped", with));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\nWatched, it serves {share:0.00} of what it serves unwatched."));
    }

    private const string Token = "bench-scrape-token";

    private static string Line(string name, List<Load> loads) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {name} | {Row.Median(loads.Select(load => load.PerSecond)):#,0} | {Row.Median(loads.Select(load => load.P50.TotalMilliseconds)):0.00} | {Row.Median(loads.Select(load => load.P99.TotalMilliseconds)):0.00} | {loads.Sum(load => load.Failed)} |");

    private static void Say(string text) => Console.Error.WriteLine(text);
}
