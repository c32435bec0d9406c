using System.Text.Json;
using Npgsql;
using Vtp.Infrastructure.Jobs;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>Limits hold on all nodes, and nobody's heap of work is another's wait.</summary>
public sealed class FairnessTests(JobApi api) : IClassFixture<JobApi>
{
    private const string Heap =
        """
        INSERT INTO jobs (id, kind, organization_id, payload, unique_key, priority, state, run_at, max_attempts, actor_type, enqueued_at)
        SELECT gen_random_uuid(), $1, $2, '{"Name": "heap"}', number, 0, 'ready', now(), 3, 'system', now() FROM generate_series(1, 100000) number
        """;

    [Fact]
    public async Task A_hundred_thousand_jobs_of_one_tenant_hardly_delay_another()
    {
        var busy = await JobApi.StartNewAsync();
        try
        {
            await busy.QueryAsync<int>(Heap, "test.note", Guid.NewGuid());
            await VtpApi.UntilAsync(() => busy.Runs.CountOf("heap") > 100, "the heap to be worked on");
            foreach (var name in new[] { "one", "two", "three" })
            {
                await busy.EnqueueAsync(Guid.NewGuid(), new NoteCommand(name));
                var begun = busy.Runs.Begun.Count;
                await VtpApi.UntilAsync(() => busy.Runs.CountOf(name) == 1, "the other tenant's job");

                // Thousands run in a second.
                (busy.Runs.Begun.TakeWhile(run => run.Name != name).Count() - begun).Should().BeLessThan(2000, "so many of the heap at most go before it");
            }

            (await busy.CountAsync()).Should().BeGreaterThan(10_000, "the heap is still there");
        }
        finally
        {
            await busy.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("an empty queue")]
    [InlineData("one in which all jobs run")]
    [InlineData("the heap")]
    public async Task A_claim_costs_the_same_however_many_wait_whatever_statistics_know_of(string known)
    {
        // A kind that nodes leave alone.
        var (heap, other) = (new Guid("01000000-0000-7000-8000-000000000000"), new Guid("02000000-0000-7000-8000-000000000000"));
        var fresh = await JobApi.StartNewAsync();
        try
        {
            await KnowAsync(fresh, "an empty queue", known);
            await fresh.QueryAsync<int>(Heap.Replace("100000", "50", StringComparison.Ordinal), "test.heap", heap);
            await fresh.QueryAsync<int>("UPDATE jobs SET state = 'running', leased_until = clock_timestamp() + interval '1 hour' WHERE kind = 'test.heap'");
            await KnowAsync(fresh, "one in which all jobs run", known);
            await fresh.QueryAsync<int>(Heap, "test.heap", heap);
            await fresh.QueryAsync<int>(Heap.Replace("100000", "5", StringComparison.Ordinal), "test.heap", other);
            await KnowAsync(fresh, "the heap", known);

            var (plan, claimed) = await ExplainAsync(fresh);

            Nodes(plan).Where(node => node.GetProperty("Node Type").GetString() == "Seq Scan" && node.TryGetProperty("Relation Name", out var table) && table.GetString() == "jobs")
                .Should().BeEmpty();
            (plan.GetProperty("Shared Hit Blocks").GetInt64() + plan.GetProperty("Shared Read Blocks").GetInt64()).Should().BeLessThan(2000);
            claimed.ConvertAll(job => job.Lane).Should().HaveCount(21, "five of one lane, and sixteen, its whole share, of the other")
                .And.StartWith([heap, other, heap, other, heap, other, heap, other, heap, other, heap]);
            claimed.Where(job => job.Lane == heap).Select(job => job.Key).Should().NotIntersectWith(Enumerable.Range(1, 50).Select(key => $"{key}"), "their keys run");
        }
        finally
        {
            await fresh.DisposeAsync();
        }

        static Task KnowAsync(JobApi fresh, string state, string known) => state == known ? fresh.QueryAsync<int>("ANALYZE jobs") : Task.CompletedTask;
    }

    [Fact]
    public async Task A_kind_runs_no_more_at_once_than_it_says_on_each_node()
    {
        var release = new TaskCompletionSource();
        var runs = api.Runs;
        runs.Work = (run, _) => run.Name == "limited" ? release.Task : Task.CompletedTask;
        await api.EnqueueAsync([.. Enumerable.Repeat(new TwoPerNodeCommand("limited"), 10)]);
        await VtpApi.UntilAsync(() => runs.Begun.Count(run => run.Name == "limited") == 2, "two runs");
        await api.EnqueueAsync(new NoteCommand("of another kind"));
        await VtpApi.UntilAsync(() => runs.CountOf("of another kind") == 1, "another kind's job, claimed after them");

        runs.Begun.Count(run => run.Name == "limited").Should().Be(2);
        release.SetResult();
        await api.EmptyAsync();
        runs.CountOf("limited").Should().Be(10);
    }

    [Fact]
    public async Task A_kind_with_places_of_its_own_neither_takes_others_nor_waits_for_them()
    {
        var release = new TaskCompletionSource();
        var runs = api.Runs;
        runs.Work = (run, _) => run.Name is "shared" or "own" ? release.Task : Task.CompletedTask;
        await api.EnqueueAsync([.. Enumerable.Repeat(new OwnPlacesCommand("own"), 10)]);
        await VtpApi.UntilAsync(() => runs.Begun.Count(run => run.Name == "own") == 3, "all places of its own to be taken");
        await api.EnqueueAsync([.. Enumerable.Repeat(new NoteCommand("shared"), 40)]);
        await VtpApi.UntilAsync(() => runs.Begun.Count(run => run.Name == "shared") == 32, "all places that others share to be taken");
        await api.EnqueueAsync(Guid.NewGuid(), new OwnPlacesCommand("own"));
        await VtpApi.UntilAsync(async () => await api.QueryAsync<long>("SELECT count(*) FROM jobs WHERE state = 'running'") == 35, "no more than those to be claimed");

        runs.Begun.Count(run => run.Name == "own").Should().Be(3);
        runs.Begun.Count(run => run.Name == "shared").Should().Be(32);
        release.SetResult();
        await api.EmptyAsync();
        runs.CountOf("own").Should().Be(11);
        runs.CountOf("shared").Should().Be(40);
    }

    [Fact]
    public async Task A_tenant_runs_no_more_at_once_than_the_kind_says_on_all_nodes()
    {
        var second = await api.AnotherNodeAsync();
        try
        {
            var release = new TaskCompletionSource();
            var (ours, theirs) = (Guid.NewGuid(), Guid.NewGuid());
            api.Runs.Work = (run, _) => run.Name is "ours" or "theirs" ? release.Task : Task.CompletedTask;
            await api.EnqueueAsync(ours, [.. Enumerable.Repeat(new TwoPerTenantCommand("ours"), 10)]);
            await second.EnqueueAsync(theirs, [.. Enumerable.Repeat(new TwoPerTenantCommand("theirs"), 10)]);
            await VtpApi.UntilAsync(() => api.Runs.Begun.Count(run => run.Name is "ours" or "theirs") == 4, "two runs of each");
            await api.EnqueueAsync([.. Enumerable.Repeat(new NoteCommand("after them"), 200)]);
            await VtpApi.UntilAsync(() => api.Runs.CountOf("after them") == 200, "jobs that both nodes claimed after them");

            api.Runs.Begun.Count(run => run.Name == "ours").Should().Be(2);
            api.Runs.Begun.Count(run => run.Name == "theirs").Should().Be(2);
            release.SetResult();
            await api.EmptyAsync();
            api.Runs.CountOf("ours").Should().Be(10);
            api.Runs.CountOf("theirs").Should().Be(10);
        }
        finally
        {
            await second.DisposeAsync();
        }
    }

    private static async Task<(JsonElement Plan, List<(Guid Lane, string Key)> Claimed)> ExplainAsync(JobApi api)
    {
        // As the server's own role, behind the policies.
        await using var connection = await api.Service<NpgsqlDataSource>().OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var system = new NpgsqlCommand(JobStatements.AsSystem, connection);
        await system.ExecuteNonQueryAsync();
        await transaction.SaveAsync("before");
        await using var explain = Claim("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ");
        var plan = JsonDocument.Parse((string)(await explain.ExecuteScalarAsync())!).RootElement[0].GetProperty("Plan");
        await transaction.RollbackAsync("before");

        await using var claim = Claim("");
        var ids = new List<Guid>();
        await using (var reader = await claim.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                ids.Add(reader.GetGuid(2));
            }
        }

        await using var read = new NpgsqlCommand("SELECT lane, unique_key FROM unnest($1) WITH ORDINALITY AS claimed (id, place) JOIN jobs USING (id) ORDER BY place", connection)
        {
            Parameters = { new() { Value = ids.ToArray() } },
        };
        var claimed = new List<(Guid, string)>();
        await using var jobs = await read.ExecuteReaderAsync();
        while (await jobs.ReadAsync())
        {
            claimed.Add((jobs.GetGuid(0), jobs.GetString(1)));
        }

        return (plan, claimed);

        NpgsqlCommand Claim(string prefix)
        {
            var command = new NpgsqlCommand(prefix + JobStatements.Claim, connection);
            object[] values = [new[] { "test.heap" }, new[] { 32 }, new[] { 0 }, new[] { 30 }, new[] { Guid.Empty }, new[] { false }, 32, 200];
            foreach (var value in values)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            return command;
        }
    }

    private static IEnumerable<JsonElement> Nodes(JsonElement plan) =>
        plan.TryGetProperty("Plans", out var plans) ? [plan, .. plans.EnumerateArray().SelectMany(Nodes)] : [plan];
}
