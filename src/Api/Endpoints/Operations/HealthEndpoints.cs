using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Npgsql;
using Vtp.Api.Http;
using Vtp.Application.Operations;
using Vtp.Application.Tracker;

namespace Vtp.Api.Endpoints.Operations;

internal static class HealthEndpoints
{
    private const string Probe = "Load balancers and orchestrators hold no credential; the answer names no data.";
    private const string Healthy = "healthy";
    private const string Degraded = "degraded";
    private const string Unhealthy = "unhealthy";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);
    private static readonly DateTimeOffset StartedAt = new(Process.GetCurrentProcess().StartTime);
    private static readonly byte[] Live = "{\"status\":\"healthy\"}"u8.ToArray();
    private static readonly string Version =
        typeof(HealthEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        var health = app.MapGroup("/health").WithTags("Health").OpenToAll(Probe);
        health.MapGet("/", GetHealth).WithName("GetHealth").WithSummary("Whether the server can serve")
            .WithDescription("The text `OK`, or `UNAVAILABLE`, unless JSON is asked for.")
            .Produces<HealthStatus>().Produces<HealthStatus>(StatusCodes.Status503ServiceUnavailable);
        health.MapGet("/live", GetLiveness).WithName("GetLiveness").WithSummary("Whether the process runs")
            .WithDescription("Asks nobody else: a process that answers need not be started again.").Produces<Liveness>();
        health.MapGet("/ready", GetReadiness).WithName("GetReadiness").WithSummary("Whether to send requests here")
            .WithDescription("503 while the database does not answer.")
            .Produces<HealthStatus>().Produces<HealthStatus>(StatusCodes.Status503ServiceUnavailable);
        health.MapGet("/detailed", GetHealthDetails).WithName("GetHealthDetails").WithSummary("What the process uses and reaches")
            .WithDescription("Figures for people and dashboards; 503 while the database does not answer, `degraded` while Redis, if there is one, does not.")
            .Produces<HealthDetails>().Produces<HealthDetails>(StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>The tracker's probes expect two letters; every other client asks for JSON.</summary>
    private static async Task<IResult> GetHealth(HttpRequest request, NpgsqlDataSource database, CancellationToken ct)
    {
        var status = await StatusAsync(database, ct);
        var asksForJson = request.GetTypedHeaders().Accept.Any(type => type.IsSubsetOf(new MediaTypeHeaderValue("application/json")));
        return asksForJson ? AsJson(status, status.Database)
            : TypedResults.Text(status.Database ? "OK" : "UNAVAILABLE", statusCode: StatusCode(status.Database));
    }

    private static FileContentHttpResult GetLiveness() => TypedResults.Bytes(Live, "application/json");

    private static async Task<IResult> GetReadiness(NpgsqlDataSource database, CancellationToken ct)
    {
        var status = await StatusAsync(database, ct);
        return AsJson(status, status.Database);
    }

    private static async Task<IResult> GetHealthDetails(
        NpgsqlDataSource database, IRedisStatus redis, IPeerDirectory peers, IHostEnvironment environment, TimeProvider clock, CancellationToken ct)
    {
        var (isUp, latency) = await PingAsync(database, ct);
        var (memory, process, swarms) = (GC.GetGCMemoryInfo(), Environment.WorkingSet, peers.CountAll());
        var now = clock.GetUtcNow();
        var details = new HealthDetails(
            !isUp ? Unhealthy : redis.IsUp == false ? Degraded : Healthy,
            "vtp-platform",
            Version,
            Instance,
            environment.EnvironmentName,
            now,
            (long)(now - StartedAt).TotalSeconds,
            new DatabaseHealth(
                isUp ? Healthy : Unhealthy,
                "postgresql",
                isUp ? Math.Round(latency.TotalMilliseconds, 2) : null,
                isUp ? string.Create(CultureInfo.InvariantCulture, $"{latency.TotalMilliseconds:0.###}ms") : null),
            new MemoryHealth(
                Megabytes(memory.HeapSizeBytes),
                Megabytes(process),
                GC.GetTotalAllocatedBytes(),
                GC.CollectionCount(0),
                ThreadPool.ThreadCount,
                Megabytes(memory.HeapSizeBytes),
                Megabytes(GC.GetTotalAllocatedBytes()),
                Megabytes(process),
                GC.CollectionCount(0),
                ThreadPool.ThreadCount),
            new ServiceHealth(
                isUp ? Healthy : Unhealthy,
                redis.IsUp switch
                {
                    null => "not_configured",
                    true => Healthy,
                    false => Unhealthy,
                }),
            new SwarmHealth(swarms.PeersOnline, swarms.PeersTotal, swarms.Files));
        return AsJson(details, isUp);
    }

    private static string Instance => Environment.GetEnvironmentVariable("INSTANCE_ID") ?? Environment.MachineName;

    private static async Task<HealthStatus> StatusAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        var (isUp, _) = await PingAsync(database, ct);
        return new HealthStatus(isUp ? Healthy : Unhealthy, "vtp-platform", Version, Instance, isUp);
    }

    private static async Task<(bool IsUp, TimeSpan Latency)> PingAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(Deadline);
        var started = Stopwatch.GetTimestamp();
        try
        {
            await using var command = database.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(deadline.Token);
            return (true, Stopwatch.GetElapsedTime(started));
        }
        catch (Exception exception) when (exception is NpgsqlException || (exception is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return (false, TimeSpan.Zero);
        }
    }

    private static JsonHttpResult<T> AsJson<T>(T body, bool isUp) => TypedResults.Json(body, statusCode: StatusCode(isUp));

    private static int StatusCode(bool isUp) => isUp ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;

    private static double Megabytes(long bytes) => Math.Round(bytes / 1048576.0, 1);
}

/// <param name="Status"><c>healthy</c></param>
internal sealed record Liveness(string Status);

/// <param name="Status"><c>healthy</c> or <c>unhealthy</c></param>
/// <param name="Instance">INSTANCE_ID, or the machine's name.</param>
/// <param name="Database">Whether the database answered within two seconds.</param>
internal sealed record HealthStatus(string Status, string Service, string Version, string Instance, bool Database);

/// <param name="Status"><c>healthy</c>; <c>degraded</c> while a Redis that is configured does not answer, which only costs speed; <c>unhealthy</c>.</param>
/// <param name="Uptime">Seconds.</param>
internal sealed record HealthDetails(
    string Status,
    string Service,
    string Version,
    string Instance,
    string Environment,
    DateTimeOffset Timestamp,
    long Uptime,
    DatabaseHealth Database,
    MemoryHealth Memory,
    ServiceHealth Services,
    SwarmHealth Stats);

/// <param name="LatencyMs">Of one round trip; null when there was no answer.</param>
/// <param name="Latency">The same, as clients of the older tracker read it.</param>
internal sealed record DatabaseHealth(string Status, string Type, double? LatencyMs, string? Latency);

/// <param name="HeapMb">Mebibytes on the managed heap after the last collection.</param>
/// <param name="WorkingSetMb">Mebibytes of physical memory.</param>
/// <param name="TotalAllocatedBytes">Since the start; two readings tell the rate.</param>
/// <param name="AllocMb">The heap again; this and what follows as clients of the older tracker read it.</param>
internal sealed record MemoryHealth(
    double HeapMb,
    double WorkingSetMb,
    long TotalAllocatedBytes,
    int Collections,
    int Threads,
    double AllocMb,
    double TotalAllocMb,
    double SysMb,
    int NumGc,
    int Goroutines);

/// <summary>Of the file tracker, in all projects together.</summary>
internal sealed record SwarmHealth(int PeersOnline, int PeersTotal, int FilesCount);

/// <param name="Redis"><c>healthy</c>, <c>unhealthy</c> or <c>not_configured</c></param>
internal sealed record ServiceHealth(string Database, string Redis);
