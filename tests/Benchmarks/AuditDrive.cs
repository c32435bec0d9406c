using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using Vtp.Application.Audit;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Infrastructure.Audit;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Benchmarks;

/// <summary>The audit trail: how long each filter takes in a million entries, and what sealing costs those who write.</summary>
internal static class AuditDrive
{
    private const int Requests = 40;
    private const int WarmUps = 6;
    private const int Rounds = 3;
    private const int Projects = 256;
    private const string Target = "20000000-0000-7000-8000-000000000000";
    private static readonly TimeSpan Run = TimeSpan.FromSeconds(4);

    public static async Task RunAsync(CancellationToken ct)
    {
        await QueriesAsync(ct);
        await WritesAsync(ct);
    }

    private static async Task QueriesAsync(CancellationToken ct)
    {
        await using var database = await TemporaryPostgres.StartAsync(ct);
        await using var vtp = await Drive.StartVtpAsync(database, ct);
        using var http = new HttpClient { BaseAddress = new Uri(vtp.Url, "/api/v1/") };
        Say("Writing a million audit entries.");
        var organization = await FoundAsync(http, ct);
        var project = await ProjectAsync(http, organization, "Evening classes", ct);
        var key = (await PostAsync(http, $"projects/{project}/keys", new { name = "Reports", scopes = new[] { "audit:read" } }, ct)).GetProperty("key").GetString()!;
        Guid[] organizations = [organization, Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7()];
        Guid[] projects = [project, .. Enumerable.Range(0, 8).Select(_ => Guid.CreateVersion7())];
        await AuditTrail.FillAsync(database.ConnectionString, organizations, projects, ct);

        var year = DateTime.UnixEpoch; // Before everything.
        var middle = TimeProvider.System.GetUtcNow().AddDays(-180).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var deep = (await http.GetFromJsonAsync<JsonElement>($"audit-logs?org_id={organization}&end_date={middle}&limit=100", ct)).GetProperty("next_cursor").GetString();
        string[] filters =
        [
            "", "limit=100", $"cursor={deep}", $"start_date={middle}&end_date={middle}", $"end_date={year:yyyy-MM-dd}",
            "action=project.updated", "action=team_member.left", "resource=project", "resource=account", "status=Failed", "status=Success",
            "actor_type=key", "actor_type=system", "user_email=person123", "user_email=bot", "user_email=school", "user_email=nobody",
            $"resource_id={Target}", $"resource_id={Guid.NewGuid()}", "resource=project&status=Failed", "action=team_member.left&actor_type=system",
            "user_email=bot&action=team_member.left", "user_email=bot&status=Failed", "user_email=school&resource=account", "user_email=school&resource=project", "user_email=bot&actor_type=user",
            $"resource_id={Target}&status=Failed&actor_type=system", "status=Failed&actor_type=system",
            $"resource=invitation&status=Failed&start_date={middle}&user_email=person1",
        ];

        await Console.Out.WriteLineAsync(Text($"Audit trail: {AuditTrail.Entries:#,0} entries over a year, 800,000 of them in the organization that is asked; {Requests} requests one after the other."));
        await Console.Out.WriteLineAsync();
        await Console.Out.WriteLineAsync("| `GET /api/v1/audit-logs` | rows | p50 ms | p95 ms |");
        await Console.Out.WriteLineAsync("|---|---:|---:|---:|");
        foreach (var filter in filters)
        {
            await MeasureAsync(filter.Length == 0 ? "no filter" : filter.Replace(deep!, "...", StringComparison.Ordinal), $"audit-logs?org_id={organization}&{filter}");
        }

        await MeasureAsync("`/stats`, 30 days", $"audit-logs/stats?org_id={organization}");
        await MeasureAsync("`/stats`, 3650 days", $"audit-logs/stats?org_id={organization}&days=3650");
        http.DefaultRequestHeaders.Authorization = null;
        http.DefaultRequestHeaders.Add("X-API-Key", key);
        await MeasureAsync("with a project's key", "audit-logs");
        await MeasureAsync("with a project's key: actor_type=system", "audit-logs?actor_type=system");
        await Console.Out.WriteLineAsync();
        await PlansAsync(database, new OrganizationId(organization), ct);

        async Task MeasureAsync(string name, string path)
        {
            var (times, rows) = (new List<double>(), 0);
            for (var number = -WarmUps; number < Requests; number++)
            {
                var sent = Stopwatch.GetTimestamp();
                var answer = await http.GetFromJsonAsync<JsonElement>(path, ct);
                var took = Stopwatch.GetElapsedTime(sent);
                rows = answer.TryGetProperty("data", out var data) ? data.GetArrayLength() : 0;
                if (number >= 0)
                {
                    times.Add(took.TotalMilliseconds);
                }
            }

            times.Sort();
            await Console.Out.WriteLineAsync(Text($"| {name} | {rows} | {times[Requests / 2]:0.0} | {times[Requests * 95 / 100]:0.0} |"));
        }
    }

    /// <summary>What PostgreSQL does for each way in which a page is read.</summary>
    private static async Task PlansAsync(TemporaryPostgres database, OrganizationId organization, CancellationToken ct)
    {
        var scope = new TenantScope();
        scope.Enter(organization, project: null, auditRetentionDays: 365);
        (string Name, AuditFilter Filter, string[]? Names)[] queries =
        [
            ("no filter", AuditFilter.None, null),
            ("action", AuditFilter.None with { Actions = ["project.updated"] }, null),
            ("resource=account", AuditFilter.None with { Actions = AuditActions.On("account") }, null),
            ("status=Failed", AuditFilter.None with { Outcome = AuditOutcome.Refused }, null),
            ("actor_type=system", AuditFilter.None with { ActorType = ActorType.System }, null),
            ("user_email", AuditFilter.None, ["Nightly bot"]),
            ("user_email and action, nothing matches", AuditFilter.None with { Actions = ["team_member.left"] }, ["Nightly bot"]),
            ("resource_id", AuditFilter.None with { Target = Guid.Parse(Target) }, null),
        ];
        await using var source = Connections.Pool(database.ConnectionString);
        var file = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "../../../benchmarks")).FullName + "/audit-plans.txt";
        await using var output = File.CreateText(file);
        foreach (var (name, filter, names) in queries)
        {
            var path = new AuditPath(scope, filter, names, before: null, Paging.DefaultLimit + 1);
            await using var batch = source.CreateScopedCommand(scope, $"EXPLAIN (ANALYZE, BUFFERS) {path.Sql}", inIndexOrder: true, path.Parameters);
            await using var reader = await batch.ReadAsync(ct);
            await output.WriteLineAsync($"=== {name}\n{path.Sql}\n");
            while (await reader.ReadAsync(ct))
            {
                await output.WriteLineAsync(reader.GetString(0));
            }

            await output.WriteLineAsync();
        }

        Say($"The plans are in {Path.GetFullPath(file)}.");
    }

    /// <summary>Two servers with a database each, by turns, so that drift of the machine meets both.</summary>
    private static async Task WritesAsync(CancellationToken ct)
    {
        await using var sealedDatabase = await TemporaryPostgres.StartAsync(ct);
        await using var openDatabase = await TemporaryPostgres.StartAsync(ct);
        await using var sealing = await Drive.StartVtpAsync(sealedDatabase, ct);
        await using var waiting = await Drive.StartVtpAsync(openDatabase, ct, new KeyValuePair<string, string>("Audit__SealEvery", "1.00:00:00"));
        Say("Making projects.");
        var (sealingWrites, waitingWrites) = (await RequestsAsync(sealing, ct), await RequestsAsync(waiting, ct));
        await Load.WrkAsync(sealing.Url, sealingWrites, Run, ct, expectedRefusal: 409);
        await Load.WrkAsync(waiting.Url, waitingWrites, Run, ct, expectedRefusal: 409);
        var rounds = new List<(Load Sealing, Load Waiting)>();
        for (var round = 0; round < Rounds; round++)
        {
            rounds.Add((
                await Load.WrkAsync(sealing.Url, sealingWrites, Run, ct, expectedRefusal: 409),
                await Load.WrkAsync(waiting.Url, waitingWrites, Run, ct, expectedRefusal: 409)));
        }

        await Console.Out.WriteLineAsync(Text(
            $"""
            Audited writes (`PUT /api/v1/projects`): {Row.Median(rounds.Select(round => round.Sealing.PerSecond)):#,0} a second with sealing each second, {Row.Median(rounds.Select(round => round.Waiting.PerSecond)):#,0} with sealing once a day; ratio {Row.Median(rounds.Select(round => round.Sealing.PerSecond / round.Waiting.PerSecond)):0.00} (each round's: {string.Join(", ", rounds.Select(round => Text($"{round.Sealing.PerSecond / round.Waiting.PerSecond:0.00}")))}); p99 {Row.Median(rounds.Select(round => round.Sealing.P99.TotalMilliseconds)):0.0} and {Row.Median(rounds.Select(round => round.Waiting.P99.TotalMilliseconds)):0.0} ms; failed {rounds.Sum(round => round.Sealing.Failed + round.Waiting.Failed)}. Left to seal: {await UnsealedAsync(sealedDatabase, ct)}.
            """));
    }

    private static async Task<long> UnsealedAsync(TemporaryPostgres database, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Options = "-c vtp.tenants=*" }.ConnectionString);
        await using var command = source.CreateCommand("SELECT count(*) FROM audit_entries WHERE sequence IS NULL");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Each project in turn, then each again: no two requests at once change the same one.</summary>
    private static async Task<string[]> RequestsAsync(ServerProcess vtp, CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = new Uri(vtp.Url, "/api/v1/") };
        var organization = await FoundAsync(http, ct);
        var projects = new List<Guid>();
        for (var number = 0; number < Projects; number++)
        {
            projects.Add(await ProjectAsync(http, organization, $"Project {number}", ct));
        }

        var token = http.DefaultRequestHeaders.Authorization!.Parameter;
        return
        [
            .. new[] { "Film", "Cinema" }.SelectMany(name => projects.Select(project =>
                Load.Request("PUT", $"/api/v1/projects/{project}", token, JsonSerializer.Serialize(new { name })))),
        ];
    }

    private static async Task<Guid> FoundAsync(HttpClient http, CancellationToken ct)
    {
        var person = await PostAsync(http, "auth/register", new { email = "noor@school.example", password = "correct horse battery", full_name = "Noor Example" }, ct);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", person.GetProperty("access_token").GetString());
        return (await PostAsync(http, "organizations", new { name = "Evening School", admin_email = "office@school.example", plan = "Pro" }, ct)).GetProperty("id").GetGuid();
    }

    private static async Task<Guid> ProjectAsync(HttpClient http, Guid organization, string name, CancellationToken ct) =>
        (await PostAsync(http, $"projects?org_id={organization}", new { name, region = "eu-west" }, ct)).GetProperty("project").GetProperty("id").GetGuid();

    private static async Task<JsonElement> PostAsync(HttpClient http, string path, object body, CancellationToken ct)
    {
        using var answer = await http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body, ct);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
    }

    private static void Say(string text) => Console.Error.WriteLine(text);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
