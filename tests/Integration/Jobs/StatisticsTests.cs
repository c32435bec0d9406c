using System.Text.Json;
using Npgsql;
using Vtp.Application.Operations.Jobs;
using Vtp.Application.Operations.Upkeep;
using Vtp.Infrastructure.Jobs;
using Vtp.Infrastructure.Upkeep;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>What operators see of the queue, and what it costs to look.</summary>
public sealed class StatisticsTests(JobApi api) : IClassFixture<JobApi>
{
    private const string Insert =
        """
        INSERT INTO jobs (id, kind, payload, priority, state, run_at, leased_until, max_attempts, actor_type, enqueued_at)
        SELECT gen_random_uuid(), $1, '{}', 0, $2, $3, CASE $2 WHEN 'running' THEN clock_timestamp() + interval '1 hour' END, 3, 'system', now()
        FROM generate_series(1, $4)
        """;

    [Fact]
    public async Task Each_kind_is_counted_by_state_with_the_age_of_what_has_waited_longest()
    {
        var (administrator, now, kind) = (await api.RegisterAdministratorAsync(), api.Clock.GetUtcNow(), $"test.{Guid.NewGuid():N}");
        await api.QueryAsync<int>(Insert, kind, "scheduled", now.AddHours(1), 3);
        await api.QueryAsync<int>(Insert, kind, "ready", now.AddSeconds(-90), 2);
        await api.QueryAsync<int>(Insert, kind, "ready", now.AddSeconds(-10), 2);
        await api.QueryAsync<int>(Insert, kind, "running", now.AddHours(-1), 1);
        await DieAsync(kind, 5);

        var found = await KindAsync(administrator, kind);

        (Number(found, "scheduled"), Number(found, "ready"), Number(found, "running"), Number(found, "dead")).Should().Be((3, 4, 1, 5));
        found.GetProperty("oldest_seconds").GetDouble().Should().BeInRange(90, 150);
        found.GetProperty("is_paused").GetBoolean().Should().BeFalse();
        (await KindAsync(administrator, "test.two_per_node")).GetProperty("oldest_seconds").ValueKind.Should().Be(JsonValueKind.Null, "kinds without jobs are listed too");
        await api.QueryAsync<int>("DELETE FROM jobs WHERE kind = $1", kind);
    }

    [Fact]
    public async Task What_was_done_and_what_failed_is_counted_by_minute_on_every_node_within_a_second_or_two()
    {
        var busy = await JobApi.StartNewAsync();
        var second = await busy.AnotherNodeAsync();
        try
        {
            var administrator = await busy.RegisterAdministratorAsync();
            await busy.MailSettledAsync();
            busy.Runs.Work = (run, _) => run is { Name: "fails once", Attempts: 1 } ? throw new InvalidDataException("the first time") : Task.CompletedTask;
            await busy.EnqueueAsync([new NoteCommand("fails once"), .. Enumerable.Range(0, 200).Select(number => new NoteCommand($"{number}"))]);
            await VtpApi.UntilAsync(async () => await busy.OfJobAsync<string>("fails once", "state") == "scheduled", "the first attempt");
            busy.Clock.Advance(TimeSpan.FromMinutes(1));
            await busy.EmptyAsync();

            await VtpApi.UntilAsync(async () => Number(await KindAsync(administrator, "test.note"), "done_last_hour") == 201, "both nodes to say what they did");
            busy.Runs.Ended.Select(run => run.Node).Distinct().Should().HaveCount(2, "both have worked");
            Number(await KindAsync(administrator, "test.note"), "failed_last_hour").Should().Be(1);
            var minutes = (await administrator.GetAsync("admin/jobs/stats")).Body.GetProperty("minutes").EnumerateArray().ToList();
            var times = minutes.ConvertAll(minute => minute.GetProperty("minute").GetDateTimeOffset());
            times.Should().HaveCount(60).And.OnlyContain(time => time.Second == 0 && time.Millisecond == 0);
            times.Zip(times.Skip(1)).Should().OnlyContain(pair => pair.Second - pair.First == TimeSpan.FromMinutes(1), "no minute is left out");
            minutes.Sum(minute => Number(minute, "failed")).Should().Be(1);
            minutes.Sum(minute => Number(minute, "done")).Should().BeGreaterThanOrEqualTo(201, "of all kinds together");

            busy.Clock.Advance(TimeSpan.FromMinutes(61));
            (await busy.Service<IJobStatistics>().ReadAsync(CancellationToken.None)).Kinds.Single(kind => kind.Kind == "test.note").DoneLastHour.Should().Be(0);
        }
        finally
        {
            await second.DisposeAsync();
            await busy.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_node_that_stops_says_what_it_did_last()
    {
        var busy = await JobApi.StartNewAsync();
        try
        {
            await busy.EnqueueAsync([.. Enumerable.Repeat(new NoteCommand("last"), 50)]);
            await busy.EmptyAsync();
            await busy.StopAsync();

            (await busy.QueryAsync<decimal>("SELECT sum(done) FROM job_minutes WHERE kind = 'test.note'")).Should().Be(50);
        }
        finally
        {
            await busy.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_heap_of_a_hundred_thousand_is_not_read_to_be_counted()
    {
        var kind = $"test.{Guid.NewGuid():N}";
        await api.QueryAsync<int>(Insert, kind, "ready", api.Clock.GetUtcNow(), 100_000);

        var statistics = await api.Service<IJobStatistics>().ReadAsync(CancellationToken.None);
        var reads = Nodes(await ExplainAsync()).Where(node => node.TryGetProperty("Relation Name", out var table) && table.GetString() == "jobs").ToList();

        statistics.Kinds.Should().ContainSingle(one => one.Kind == kind && one.Ready == statistics.CountedUpTo);
        reads.Should().HaveCountGreaterThan(5);
        reads.Sum(RowsOf).Should().BeLessThan(2 * JobStatisticsReader.CountedUpTo);
        await api.QueryAsync<int>("DELETE FROM jobs WHERE kind = $1", kind);
    }

    [Fact]
    public async Task Minutes_are_kept_for_two_days()
    {
        var now = api.Clock.GetUtcNow();
        foreach (var age in new[] { DatabaseUpkeep.JobMinutesFor + TimeSpan.FromMinutes(1), DatabaseUpkeep.JobMinutesFor - TimeSpan.FromMinutes(1) })
        {
            await api.QueryAsync<int>("INSERT INTO job_minutes (minute, kind, done, failed) VALUES ($1, 'test.old', 1, 0)", now - age);
        }

        await api.Service<IUpkeep>().RemoveOldJobsAsync(CancellationToken.None);

        (await api.QueryAsync<long>("SELECT count(*) FROM job_minutes WHERE kind = 'test.old'")).Should().Be(1);
    }

    private async Task<JsonElement> ExplainAsync()
    {
        // As the server's own role, behind the policies.
        await using var connection = await api.Service<NpgsqlDataSource>().OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var system = new NpgsqlCommand(JobStatements.AsSystem, connection);
        await system.ExecuteNonQueryAsync();
        await using var explain = new NpgsqlCommand("EXPLAIN (ANALYZE, FORMAT JSON) " + JobStatisticsReader.OfKinds, connection)
        {
            Parameters = { new() { Value = new[] { "test.note" } }, new() { Value = JobStatisticsReader.CountedUpTo }, new() { Value = DateTimeOffset.UtcNow } },
        };
        return JsonDocument.Parse((string)(await explain.ExecuteScalarAsync())!).RootElement[0].GetProperty("Plan");
    }

    private static IEnumerable<JsonElement> Nodes(JsonElement plan) =>
        plan.TryGetProperty("Plans", out var plans) ? [plan, .. plans.EnumerateArray().SelectMany(Nodes)] : [plan];

    private static double RowsOf(JsonElement node) => node.GetProperty("Actual Loops").GetDouble()
        * (node.GetProperty("Actual Rows").GetDouble() + (node.TryGetProperty("Rows Removed by Filter", out var removed) ? removed.GetDouble() : 0));

    private async Task DieAsync(string kind, int count) => await api.QueryAsync<int>(
        """
        INSERT INTO dead_jobs (id, kind, payload, priority, attempts, max_attempts, errors, actor_type, enqueued_at, died_at)
        SELECT gen_random_uuid(), $1, '{}', 0, 3, 3, '{}', 'system', now(), now() FROM generate_series(1, $2)
        """,
        kind,
        count);

    private static async Task<JsonElement> KindAsync(Person administrator, string kind) =>
        (await administrator.GetAsync("admin/jobs/stats")).Body.GetProperty("kinds").EnumerateArray().Single(one => one.GetProperty("kind").GetString() == kind);

    private static long Number(JsonElement of, string name) => of.GetProperty(name).GetInt64();
}
