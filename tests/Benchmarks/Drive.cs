using System.Globalization;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using Npgsql;
using Vtp.Application.Common;

namespace Vtp.Benchmarks;

/// <summary>
/// Starts PostgreSQL, VTP and the floor, drives them in turn, and prints a table. What counts is the ratio: both sides of
/// it were measured seconds apart on the same machine in the same state, and each number is the median of its rounds.
/// </summary>
internal static class Drive
{
    /// <summary>Rows that are compared with each other, too.</summary>
    public const string Profile = "`GET /api/v1/auth/profile`";
    public const string Flooded = "profile during a flood of sign-ins";
    public const string SignIn = "`POST /api/v1/auth/login`";

    private const int Rounds = 3;
    private const string Password = "correct horse battery";
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Run = TimeSpan.FromSeconds(5);

    /// <param name="measure">What is driven.</param>
    public static async Task<int> RunAsync(params Func<CancellationToken, Task>[] measure)
    {
        using var interrupted = new CancellationTokenSource();
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
        try
        {
            foreach (var part in measure)
            {
                await part(interrupted.Token);
            }

            return 0;
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            return 130;
        }

        void Interrupt(PosixSignalContext signal)
        {
            signal.Cancel = true;
            interrupted.Cancel();
        }
    }

    public static async Task MeasureAsync(CancellationToken ct)
    {
        await using var database = await TemporaryPostgres.StartAsync(ct);
        await using var vtp = await StartVtpAsync(database, ct);
        await using var floor = await ServerProcess.StartAsync(typeof(Drive).Assembly.Location, ["floor", database.ConnectionString], [], ct);
        Say("Registering people.");
        var people = await RegisterAsync(vtp.Url, ct);
        Table.Print(await VersionsAsync(database, ct), await MeasureAsync(vtp, floor, people, ct));
    }

    public static Task<ServerProcess> StartVtpAsync(TemporaryPostgres database, CancellationToken ct, params KeyValuePair<string, string>[] settings)
    {
        // Limits are there to refuse exactly what this program does; those of strangers it measures as they are.
        var limits = RateLimitPolicies.Defaults.Keys.Except([RateLimitPolicies.Anonymous], StringComparer.Ordinal).SelectMany(policy => new KeyValuePair<string, string>[]
        {
            new($"RateLimits__{policy}__Limit", "1000000"),
            new($"RateLimits__{policy}__Burst", "1000000"),
        });
        return ServerProcess.StartAsync(
            ApiAssembly(),
            [],
            [new("ConnectionStrings__Vtp", database.ConnectionString), new("VTP_FOLDER", database.Folder), .. limits, .. settings],
            ct);
    }

    /// <summary>The server as it is shipped, in its own build output: beside this program lies a copy with another configuration.</summary>
    private static string ApiAssembly()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(output.Parent!.Parent!.FullName, "Api", output.Name, "Vtp.Api.dll");
    }

    private static async Task<List<Row>> MeasureAsync(ServerProcess vtp, ServerProcess floor, Person[] people, CancellationToken ct)
    {
        string[] live = [Load.Request("GET", "/health/live")];
        string[] strangers = [Load.Request("GET", "/api/v1/limits")];
        string[] bytes = [Load.Request("GET", "/bytes")];
        string[] profiles = [.. people.Select(person => Load.Request("GET", "/api/v1/auth/profile", person.AccessToken))];
        string[] reads = [.. people.Select(person => Load.Request("GET", $"/read/{person.Id}"))];
        string[] signIns = [.. people.Select(person => Load.Request("POST", "/api/v1/auth/login", body: SignInBody(person)))];
        using var refreshes = new RefreshChains(vtp.Url, people);
        var projects = await BenchProject.CreateAsync(vtp.Url, people[0], ct);
        string[] byKey = [Load.Request("GET", $"/api/v1/projects/{projects.Id}", key: projects.Secret)];
        string[] searched = [Load.Request("GET", "/api/v1/projects?search=bench", key: projects.Secret)];
        string[] byPerson = [Load.Request("GET", $"/api/v1/projects/{projects.Id}", people[0].AccessToken)];
        string[] scoped = [Load.Request("GET", $"/tenant/{projects.Organization}/{projects.Id}")];
        string[] unscoped = [Load.Request("GET", $"/project/{projects.Id}")];

        var fixedBytes = new Row("fixed bytes: `GET /health/live`", "floor: `GET /bytes`");
        var profile = new Row(Profile, "floor: `GET /read`");
        var refused = new Row("refused over a limit, 429: `GET /api/v1/limits` by strangers");
        var flooded = new Row(Flooded);
        var tenant = new Row("floor: a row of a tenant, who is set in the same round trip: `GET /tenant`", "floor: the same row with nobody set: `GET /project`");
        var key = new Row("`GET /api/v1/projects/{id}` by an API key, from the cache", "floor: `GET /tenant`");
        var uncached = new Row("`GET /api/v1/projects?search=` by an API key, from PostgreSQL");
        var person = new Row("`GET /api/v1/projects/{id}` by a person, the membership from PostgreSQL and the project from the cache");
        var refresh = new Row("`POST /api/v1/auth/refresh`");
        var signIn = new Row(SignIn);

        Say("Warming up.");
        await WrkAsync(vtp, live, WarmUp);
        await WrkAsync(floor, bytes, WarmUp);
        await WrkAsync(vtp, profiles, WarmUp * 2);
        await AskAsStrangersAsync(WarmUp);
        await WrkAsync(floor, reads, WarmUp * 2);
        await WrkAsync(vtp, byKey, WarmUp);
        await WrkAsync(vtp, searched, WarmUp);
        await WrkAsync(vtp, byPerson, WarmUp);
        await WrkAsync(floor, scoped, WarmUp);
        await refreshes.RunAsync(WarmUp, ct);
        await SignInAsync(WarmUp);

        for (var round = 1; round <= Rounds; round++)
        {
            Say($"Round {round} of {Rounds}.");
            await fixedBytes.AddAsync(vtp, () => WrkAsync(vtp, live, Run), floor, () => WrkAsync(floor, bytes, Run), ct);
            await profile.AddAsync(vtp, () => WrkAsync(vtp, profiles, Run), floor, () => WrkAsync(floor, reads, Run), ct);
            await refused.AddAsync(vtp, () => AskAsStrangersAsync(Run), ct);

            // The flood begins before and ends after what is measured.
            var flood = SignInAsync(Run + TimeSpan.FromSeconds(2));
            await Task.Delay(TimeSpan.FromSeconds(1), ct);
            await flooded.AddAsync(null, () => WrkAsync(vtp, profiles, Run), ct);
            await flood;

            await tenant.AddAsync(floor, () => WrkAsync(floor, scoped, Run), floor, () => WrkAsync(floor, unscoped, Run), ct);
            await key.AddAsync(vtp, () => WrkAsync(vtp, byKey, Run), floor, () => WrkAsync(floor, scoped, Run), ct);
            await uncached.AddAsync(vtp, () => WrkAsync(vtp, searched, Run), ct);
            await person.AddAsync(vtp, () => WrkAsync(vtp, byPerson, Run), ct);
            await refresh.AddAsync(vtp, () => refreshes.RunAsync(Run, ct), ct);
            await signIn.AddAsync(vtp, () => SignInAsync(Run), ct);
        }

        return [fixedBytes, profile, refused, flooded, refresh, signIn, tenant, key, uncached, person];

        Task<Load> WrkAsync(ServerProcess server, string[] requests, TimeSpan duration) => Load.WrkAsync(server.Url, requests, duration, ct);

        Task<Load> AskAsStrangersAsync(TimeSpan duration) => Load.WrkAsync(vtp.Url, strangers, duration, ct, expectedRefusal: 429);

        Task<Load> SignInAsync(TimeSpan duration) => Load.WrkAsync(vtp.Url, signIns, duration, ct, expectedRefusal: 503);
    }

    public static async Task<Person[]> RegisterAsync(Uri vtp, CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = vtp };
        var people = new Person[Load.Connections];

        // Hashing is what registering costs: more at once than there are cores would be refused.
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = ct };
        await Parallel.ForAsync(0, people.Length, parallel, async (index, token) =>
        {
            var email = $"person{index}@school.example";
            using var answer = await http.PostAsJsonAsync(
                "/api/v1/auth/register", new { email, password = Password, full_name = "Noor Example" }, token);
            answer.EnsureSuccessStatusCode();
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>(token);
            people[index] = new Person(
                body.GetProperty("user_id").GetGuid(),
                email,
                body.GetProperty("access_token").GetString()!,
                body.GetProperty("refresh_token").GetString()!);
        });
        return people;
    }

    private static string SignInBody(Person person) => JsonSerializer.Serialize(new { email = person.Email, password = Password });

    private static async Task<string> VersionsAsync(TemporaryPostgres database, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand("SHOW server_version");
        var postgres = $"{await command.ExecuteScalarAsync(ct)}".Split(' ')[0];
        var processor = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} cores ({processor}), {RuntimeInformation.FrameworkDescription}, PostgreSQL {postgres}");
    }

    private static void Say(string text) => Console.Error.WriteLine(text);
}

internal sealed record Person(Guid Id, string Email, string AccessToken, string RefreshToken);
