using Npgsql;
using Vtp.Infrastructure.Jobs;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>Nodes come, go and die; jobs do not. Each test has a database of its own.</summary>
public sealed class NodeTests
{
    [Fact]
    public async Task Two_nodes_run_two_thousand_jobs_each_once()
    {
        await using var nodes = await Nodes.StartAsync(2);
        var first = nodes[0];

        await Task.WhenAll(Enumerable.Range(0, 20).Select(batch =>
            nodes[batch % 2].EnqueueAsync([.. Enumerable.Range(batch * 100, 100).Select(number => new NoteCommand($"{number}"))])));
        await first.EmptyAsync();

        first.Runs.Begun.Select(run => run.Name).Should().HaveCount(2000).And.OnlyHaveUniqueItems();
        first.Runs.Ended.Should().HaveCount(2000);
        first.Runs.Begun.Select(run => run.Node).Distinct().Should().HaveCount(2, "both nodes work");
    }

    [Fact]
    public async Task The_job_of_a_node_that_stopped_answering_runs_again_and_only_the_second_run_counts()
    {
        await using var nodes = await Nodes.StartAsync(2);
        var api = nodes[0];
        var (first, second) = (new TaskCompletionSource(), new TaskCompletionSource());
        api.Runs.Work = (run, _) => run.Attempts == 1 ? first.Task : second.Task;
        await api.EnqueueAsync(new NoteCommand("orphan"));
        await VtpApi.UntilAsync(() => api.Runs.Begun.Count == 1, "the first run");

        // As if its node had said nothing for the time of its lease.
        await VtpApi.UntilAsync(
            async () =>
            {
                await api.QueryAsync<int>("UPDATE jobs SET leased_until = now() - interval '1 second' WHERE claims = 1 AND state = 'running'");
                return api.Runs.Begun.Count == 2;
            },
            "the second run");
        first.SetResult();
        await VtpApi.UntilAsync(() => nodes.Any(node => node.Log.Any(line => line.Contains("was lost", StringComparison.Ordinal))), "the first node to find out");
        (await api.OfJobAsync<string>("orphan", "state || claims")).Should().Be("running2", "the first run may not complete it");
        second.SetResult();

        await api.EmptyAsync();
        api.Runs.Begun.Should().HaveCount(2);
        (await api.CountAsync("dead_jobs")).Should().Be(0);
    }

    [Fact]
    public async Task A_node_that_lost_a_job_can_neither_fail_nor_renew_nor_give_it_back()
    {
        await using var nodes = await Nodes.StartAsync(1);
        var api = nodes[0];
        var release = new TaskCompletionSource();
        api.Runs.Work = (_, _) => release.Task;
        await api.EnqueueAsync(new NoteCommand("fenced"));
        await VtpApi.UntilAsync(() => api.Runs.Begun.Count == 1, "the run");
        var (store, kind) = (api.Service<JobStore>(), api.Service<JobKinds>().Named("test.note"));
        var stale = new ClaimedJob(await api.OfJobAsync<Guid>("fenced", "id"), Claim: 0, kind, null, null, "{}", 1, 3, null, null);

        (await store.FailAsync(stale, new JobFault("Stale", ""), isDead: false, CancellationToken.None)).Should().BeFalse();
        (await store.FailAsync(stale, new JobFault("Stale", ""), isDead: true, CancellationToken.None)).Should().BeFalse();
        (await store.RenewAsync([stale], CancellationToken.None)).Should().BeEmpty();
        (await store.TakeTurnAsync([stale], [], 0, CancellationToken.None)).Completed.Should().BeEmpty();
        await store.GiveBackAsync([stale], CancellationToken.None);

        (await api.OfJobAsync<string>("fenced", "state || claims || attempts || cardinality(errors)")).Should().Be("running110");
        release.SetResult();
        await api.EmptyAsync();
    }

    [Fact]
    public async Task A_long_job_keeps_its_lease()
    {
        await using var nodes = await Nodes.StartAsync(2);
        var api = nodes[0];
        var release = new TaskCompletionSource();
        api.Runs.Work = (_, _) => release.Task;
        await api.EnqueueAsync(new ShortLeaseCommand("long"));
        await VtpApi.UntilAsync(() => api.Runs.Begun.Count == 1, "the run");
        var until = await api.OfJobAsync<DateTime>("long", "leased_until");

        await VtpApi.UntilAsync(async () => await api.OfJobAsync<bool>("long", $"clock_timestamp() > '{until:O}'"), "its first lease to be over");
        await VtpApi.UntilAsync(async () => await api.OfJobAsync<DateTime>("long", "leased_until") > until, "a renewed lease");
        release.SetResult();
        await api.EmptyAsync();
        api.Runs.Begun.Should().ContainSingle();
    }

    [Fact]
    public async Task Connections_that_die_in_the_middle_lose_nothing()
    {
        await using var nodes = await Nodes.StartAsync(2);
        var api = nodes[0];
        var names = Enumerable.Range(0, 500).Select(number => $"{number}").ToArray();
        await api.EnqueueAsync([.. names.Select(name => new ShortLeaseCommand(name))]);
        for (var kill = 0; kill < 5; kill++)
        {
            var ended = api.Runs.Ended.Count;
            await TerminateAsync(api, "true");

            // Or all that is left was claimed by connections that died, and waits for its leases to run out.
            await VtpApi.UntilAsync(
                async () =>
                {
                    api.Clock.Advance(TimeSpan.FromMilliseconds(100)); // For the waits of those that failed.
                    return api.Runs.Ended.Count > ended || await api.CountAsync("jobs WHERE state <> 'running'") == 0;
                },
                "the nodes to go on");
        }

        await VtpApi.UntilAsync(
            async () =>
            {
                api.Clock.Advance(TimeSpan.FromMilliseconds(100));
                return await api.CountAsync() == 0;
            },
            "every job to be done");
        api.Runs.Ended.Select(run => run.Name).Distinct(StringComparer.Ordinal).Should().BeEquivalentTo(names);
        (await api.CountAsync("dead_jobs")).Should().Be(0);
    }

    [Fact]
    public async Task A_node_that_hears_nothing_finds_its_jobs_all_the_same()
    {
        await using var nodes = await Nodes.StartAsync(1);
        var api = nodes[0];
        await VtpApi.UntilAsync(async () => await TerminateAsync(api, "query LIKE 'LISTEN%'") == 1, "the listener to be there and then gone");
        await api.EnqueueAsync(new NoteCommand("unheard"));
        await api.EmptyAsync();
        await VtpApi.UntilAsync(
            async () => await api.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'") == 1, "another listener");

        await api.QueryAsync<int>("ALTER TABLE jobs DISABLE TRIGGER jobs_wake");
        await api.EnqueueAsync(new NoteCommand("untold"));
        await api.EmptyAsync();
        api.Runs.Ended.Select(run => run.Name).Should().Equal("unheard", "untold");
    }

    [Fact]
    public async Task A_node_that_stops_lets_jobs_end_and_gives_the_others_back()
    {
        await using var nodes = await Nodes.StartAsync(1, drain: TimeSpan.FromSeconds(1));
        var api = nodes[0];
        var ends = new TaskCompletionSource();
        api.Runs.Work = (run, cancellationToken) => run.Name switch
        {
            "endless" when run.Attempts == 1 => Task.Delay(Timeout.Infinite, cancellationToken),
            "deaf" when run.Attempts == 1 => new TaskCompletionSource().Task,
            "ends" => ends.Task,
            _ => Task.CompletedTask,
        };
        await api.EnqueueAsync(new NoteCommand("endless"), new NoteCommand("deaf"), new NoteCommand("ends"));
        await VtpApi.UntilAsync(() => api.Runs.Begun.Count == 3, "three runs");

        var stopped = api.StopAsync();
        ends.SetResult();
        await stopped;

        (await api.OfJobAsync<string>("ends", "state")).Should().BeNull("it was let to end");
        foreach (var name in new[] { "endless", "deaf" })
        {
            (await api.OfJobAsync<string>(name, "state || attempts || cardinality(errors)")).Should().Be("ready00", name);
        }

        await api.StartAsync();
        await api.EmptyAsync();
        api.Runs.Ended.Select(run => run.Name).Should().BeEquivalentTo("ends", "endless", "deaf");
    }

    private static async Task<long> TerminateAsync(JobApi api, string which)
    {
        await using var alone = new NpgsqlConnection($"{api.ConnectionString};Pooling=false");
        await alone.OpenAsync();
        await using var command = new NpgsqlCommand(
            $"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND {which}", alone);
        var terminated = (long)(await command.ExecuteScalarAsync())!;
        NpgsqlConnection.ClearAllPools(); // Those of the test itself are dead too.
        return terminated;
    }

    /// <summary>Servers on one database.</summary>
    private sealed class Nodes : List<JobApi>, IAsyncDisposable
    {
        public static async Task<Nodes> StartAsync(int count, TimeSpan? drain = null)
        {
            var nodes = new Nodes { await JobApi.StartNewAsync(drain) };
            while (nodes.Count < count)
            {
                nodes.Add(await nodes[0].AnotherNodeAsync());
            }

            return nodes;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var node in this)
            {
                await node.DisposeAsync();
            }
        }
    }
}
