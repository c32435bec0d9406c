using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Vtp.Benchmarks;

/// <summary>The event log and its webhooks: the server as a process, a PostgreSQL of its own, a receiver in this process.</summary>
internal static class Webhooks
{
    private const int Rounds = 3;
    private const int HangingRounds = 8;
    private const int Events = 20_000;
    private const int Samples = 200;
    private const int Page = 100;
    private static readonly TimeSpan Run = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    public static async Task RunAsync(CancellationToken ct)
    {
        await using var database = await TemporaryPostgres.StartAsync(ct);
        await using var sink = await Sink.StartAsync(ct);
        await using var vtp = await Drive.StartVtpAsync(
            database, ct, new("Webhooks__AllowHttp", "true"), new("Webhooks__AllowedNetworks", "127.0.0.0/8"));
        await using var log = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Options = "-c vtp.tenants=*" }.ConnectionString);
        using var http = new HttpClient { BaseAddress = new Uri(vtp.Url, "/api/v1/") };
        Say("Making a hundred projects with an endpoint each.");
        var person = await SignUpAsync(http, ct);
        var projects = new List<BenchProject>();
        for (var number = 0; number < 101; number++)
        {
            projects.Add(await BenchProject.CreateAsync(vtp.Url, person, ct, number % 10 == 0 ? null : projects[^1].Organization));
        }

        var (dead, alive) = (projects[100], projects[..100]);
        foreach (var project in alive)
        {
            await HookAsync(http, project, $"{sink.Url}/", ct);
        }

        await RatesAsync(log, sink, alive, ct);
        await DeadAsync(log, sink, http, alive[..10], dead, ct);
        await LatencyAsync(vtp, log, sink, alive[0], ct);
        await PullAsync(http, alive[0], ct);
        await WritesAsync(vtp, log, person, alive, ct);
    }

    private static async Task RatesAsync(NpgsqlDataSource log, Sink sink, List<BenchProject> projects, CancellationToken ct)
    {
        int[] counts = [1, 10, 100];
        var rates = counts.ToDictionary(count => count, _ => new List<double>());
        await DeliverAsync(log, sink, projects, ct);
        for (var round = 1; round <= Rounds; round++)
        {
            Say($"Round {round} of {Rounds}.");
            foreach (var count in counts)
            {
                rates[count].Add(await DeliverAsync(log, sink, projects[..count], ct));
            }
        }

        Print($"| {Events:#,0} events that wait, to | deliveries/s | each round's |");
        Print($"|---|---:|---|");
        foreach (var (count, each) in rates)
        {
            Print($"| {count} endpoint{(count == 1 ? "" : "s")} | {Row.Median(each):#,0} | {string.Join(", ", each.Select(rate => Text($"{rate:#,0}")))} |");
        }
    }

    /// <summary>By turns with and without an endpoint that answers nothing, and has as much waiting as is taken at once.</summary>
    private static async Task DeadAsync(NpgsqlDataSource log, Sink sink, HttpClient http, List<BenchProject> alive, BenchProject dead, CancellationToken ct)
    {
        var ratios = new List<double>();
        for (var round = 1; round <= HangingRounds; round++)
        {
            // By turns first and second: the server is still getting faster.
            Say($"Round {round} of {HangingRounds} beside an endpoint that hangs.");
            var without = round % 2 == 0 ? await DeliverAsync(log, sink, alive, ct) : 0;
            var hook = await HookAsync(http, dead, $"{sink.Url}/dead", ct);
            await TellAsync(log, [dead], 200, ct);
            var beside = await DeliverAsync(log, sink, alive, ct);
            using var deleted = await http.DeleteAsync(new Uri($"projects/{dead.Id}/webhooks/{hook}", UriKind.Relative), ct);
            deleted.EnsureSuccessStatusCode();
            await IdleAsync(log, [], ct);
            ratios.Add(beside / (without > 0 ? without : await DeliverAsync(log, sink, alive, ct)));
        }

        Print($"\nBeside an endpoint that hangs ten others get {Row.Median(ratios):0.00} of the deliveries a second (each round's: {string.Join(", ", ratios.Select(ratio => Text($"{ratio:0.00}")))}).");
    }

    /// <returns>Deliveries a second, from the commit of all events to that of the last delivery.</returns>
    private static async Task<double> DeliverAsync(NpgsqlDataSource log, Sink sink, List<BenchProject> projects, CancellationToken ct)
    {
        var arrived = sink.Next(Events);
        await TellAsync(log, projects, Events, ct);
        var started = Stopwatch.GetTimestamp();
        await arrived.WaitAsync(ct);
        await IdleAsync(log, projects, ct);
        return Events / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task LatencyAsync(ServerProcess vtp, NpgsqlDataSource log, Sink sink, BenchProject project, CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = vtp.Url, DefaultRequestHeaders = { { "X-API-Key", project.Secret } } };
        var (asked, answered) = (new List<double>(), new List<double>());
        for (var sample = -20; sample < Samples; sample++)
        {
            var arrived = sink.Next(1);
            var start = Stopwatch.GetTimestamp();
            using var answer = await http.PutAsJsonAsync(new Uri($"/api/v1/projects/{project.Id}", UriKind.Relative), new { name = $"Name {sample}" }, ct);
            var end = Stopwatch.GetTimestamp();
            answer.EnsureSuccessStatusCode();
            var arrival = await arrived.WaitAsync(ct);
            if (sample >= 0)
            {
                asked.Add(Stopwatch.GetElapsedTime(start, arrival).TotalMilliseconds);
                answered.Add(Stopwatch.GetElapsedTime(end, arrival).TotalMilliseconds);
            }

            await IdleAsync(log, [project], ct);
        }

        asked.Sort();
        answered.Sort();
        Print($"\n| {Samples} changes one after the other, to the arrival of their webhook | p50 ms | p99 ms |");
        Print($"|---|---:|---:|");
        Print($"| from sending `PUT /api/v1/projects/{{id}}` | {asked[Samples / 2]:0.0} | {asked[Samples * 99 / 100]:0.0} |");
        Print($"| from its answer, which follows the commit | {answered[Samples / 2]:0.0} | {answered[Samples * 99 / 100]:0.0} |");
    }

    private static async Task PullAsync(HttpClient http, BenchProject project, CancellationToken ct)
    {
        var rates = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var (read, after, started) = (0, "", Stopwatch.GetTimestamp());
            while (read < Events)
            {
                var page = await http.GetFromJsonAsync<JsonElement>($"events?org_id={project.Organization}&limit={Page}&after={after}", ct);
                (read, after) = (read + page.GetProperty("data").GetArrayLength(), page.GetProperty("next_cursor").GetString()!);
            }

            rates.Add(read / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        Print($"\nOne reader pulls {Row.Median(rates):#,0} events a second (`GET /api/v1/events?limit={Page}`).");
    }

    private static async Task WritesAsync(ServerProcess vtp, NpgsqlDataSource log, Person person, List<BenchProject> projects, CancellationToken ct)
    {
        string[] writes =
        [
            .. new[] { "Film", "Cinema" }.SelectMany(name => projects.Select(project =>
                Load.Request("PUT", $"/api/v1/projects/{project.Id}", person.AccessToken, JsonSerializer.Serialize(new { name })))),
        ];
        var (with, without) = (new List<double>(), new List<double>());
        for (var round = -1; round < Rounds; round++)
        {
            foreach (var (isOn, rates) in new[] { (false, without), (true, with) })
            {
                await using var toggle = log.CreateCommand("UPDATE webhook_endpoints SET is_enabled = $1");
                toggle.Parameters.Add(new() { Value = isOn });
                await toggle.ExecuteNonQueryAsync(ct);
                var load = await Load.WrkAsync(vtp.Url, writes, Run, ct, expectedRefusal: 409);
                await IdleAsync(log, [], ct);
                if (round >= 0)
                {
                    rates.Add((load.Requests - load.Refused) / load.Duration.TotalSeconds);
                }
            }
        }

        var ratio = Row.Median(with.Zip(without, (one, other) => one / other));
        Print($"\nChanges with an event each (`PUT /api/v1/projects/{{id}}`): {Row.Median(without):#,0} a second while nobody is told, {Row.Median(with):#,0} while each is delivered to an endpoint; ratio {ratio:0.00}.");
    }

    /// <summary>Straight into the log, in one transaction, the projects by turns.</summary>
    private static async Task TellAsync(NpgsqlDataSource log, List<BenchProject> projects, int count, CancellationToken ct)
    {
        await using var insert = log.CreateCommand(
            """
            INSERT INTO events (id, type, organization_id, project_id, subject, data, actor_type, occurred_at)
            SELECT gen_random_uuid(), 'project.updated', $1[1 + number % cardinality($1)], $2[1 + number % cardinality($2)], 'subject ' || number,
                json_build_object('id', gen_random_uuid(), 'name', 'Evening classes ' || number, 'region', 'eu-west'), 'system', now()
            FROM generate_series(1, $3) AS number ORDER BY number
            """);
        insert.Parameters.Add(new() { Value = projects.Select(project => project.Organization).ToArray() });
        insert.Parameters.Add(new() { Value = projects.Select(project => project.Id).ToArray() });
        insert.Parameters.Add(new() { Value = count });
        await insert.ExecuteNonQueryAsync(ct);
    }

    /// <summary>All has been handed out, and nothing waits for these; for nobody when none is named.</summary>
    private static async Task IdleAsync(NpgsqlDataSource log, List<BenchProject> projects, CancellationToken ct)
    {
        await using var look = log.CreateCommand(
            """
            SELECT NOT EXISTS (SELECT FROM events WHERE position IS NULL) AND (SELECT position FROM event_consumers WHERE name = 'webhooks') = position
                AND NOT EXISTS (SELECT FROM webhook_deliveries WHERE state = 'pending' AND (cardinality($1) = 0 OR project_id = ANY ($1)))
            FROM event_log
            """);
        look.Parameters.Add(new() { Value = projects.Select(project => project.Id).ToArray() });
        while (!(bool)(await look.ExecuteScalarAsync(ct))!)
        {
            await Task.Delay(Pause, ct);
        }
    }

    private static async Task<Person> SignUpAsync(HttpClient http, CancellationToken ct)
    {
        const string Email = "noor@school.example";
        using var answer = await http.PostAsJsonAsync(new Uri("auth/register", UriKind.Relative), new { email = Email, password = "correct horse battery", full_name = "Noor Example" }, ct);
        answer.EnsureSuccessStatusCode();
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
        var person = new Person(body.GetProperty("user_id").GetGuid(), Email, body.GetProperty("access_token").GetString()!, body.GetProperty("refresh_token").GetString()!);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", person.AccessToken);
        return person;
    }

    private static async Task<Guid> HookAsync(HttpClient http, BenchProject project, string url, CancellationToken ct)
    {
        using var answer = await http.PostAsJsonAsync(new Uri($"projects/{project.Id}/webhooks", UriKind.Relative), new { url, event_types = new[] { "project.updated" } }, ct);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("webhook").GetProperty("id").GetGuid();
    }

    private static void Say(string text) => Console.Error.WriteLine(text);

    private static void Print(FormattableString line) => Console.Out.WriteLine(Text(line));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
