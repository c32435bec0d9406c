using Vtp.Infrastructure.Jobs;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>Of one key one job waits and one runs, whatever happens to either.</summary>
public sealed class UniqueKeyTests(JobApi api) : IClassFixture<JobApi>
{
    private DateTimeOffset Later => api.Clock.GetUtcNow() + TimeSpan.FromDays(1);

    [Fact]
    public async Task A_hundred_at_once_with_one_key_leave_one_job_for_each_tenant_and_another_while_one_runs()
    {
        var release = new TaskCompletionSource();
        api.Runs.Work = (run, _) => run.Name == "hundred" ? release.Task : Task.CompletedTask;
        Guid?[] tenants = [null, Guid.NewGuid()];

        await Task.WhenAll(Enumerable.Range(0, 200).Select(number => EnqueueAsync("hundred", Later, tenants[number % 2])));
        (await CountAsync("hundred")).Should().Be(2);

        foreach (var tenant in tenants)
        {
            await EnqueueAsync("hundred", organization: tenant);
        }

        await VtpApi.UntilAsync(() => api.Runs.Begun.Count(run => run.Name == "hundred") == 2, "one of each to run");
        await Task.WhenAll(Enumerable.Range(0, 200).Select(number => EnqueueAsync("hundred", organization: tenants[number % 2])));
        (await CountAsync("hundred")).Should().Be(4);
        api.Runs.Begun.Count(run => run.Name == "hundred").Should().Be(2, "no second one begins while the first runs");

        release.SetResult();
        await VtpApi.UntilAsync(async () => await CountAsync("hundred") == 0, "all to be done");
        api.Runs.CountOf("hundred").Should().Be(4);
    }

    [Fact]
    public async Task What_waits_comes_at_the_sooner_of_two_times()
    {
        await EnqueueAsync("sooner", Later);
        await EnqueueAsync("sooner", Later + TimeSpan.FromDays(1));
        (await api.OfJobAsync<DateTime>("sooner", "run_at")).Should().BeCloseTo(Later.UtcDateTime, TimeSpan.FromSeconds(1));

        await EnqueueAsync("sooner");

        await VtpApi.UntilAsync(() => api.Runs.CountOf("sooner") == 1, "the job that was pulled forward");
        await VtpApi.UntilAsync(async () => await CountAsync("sooner") == 0, "it to be gone");
    }

    [Fact]
    public async Task One_unit_of_work_may_ask_twice()
    {
        await api.InScopeAsync(db =>
        {
            db.Enqueue(new NoteCommand("twice"), Later, "twice");
            db.Enqueue(new NoteCommand("twice"), uniqueKey: "twice", priority: -1);
            return db.SaveChangesAsync();
        });

        await VtpApi.UntilAsync(() => api.Runs.CountOf("twice") == 1, "the job");
        (await CountAsync("twice")).Should().BeLessThanOrEqualTo(1);
    }

    [Fact]
    public async Task What_waits_does_not_begin_before_a_change_that_asks_for_it_once_more_is_committed()
    {
        await EnqueueAsync("uncommitted", Later);
        await api.InScopeAsync(async db =>
        {
            await db.HoldAsync(CancellationToken.None);
            db.Enqueue(new NoteCommand("uncommitted"), uniqueKey: "uncommitted");
            await db.SaveChangesAsync();
            api.Clock.Advance(TimeSpan.FromDays(1));
            await EnqueueAsync("committed");
            await VtpApi.UntilAsync(() => api.Runs.CountOf("committed") == 1, "a job that was due with it");
            api.Runs.CountOf("uncommitted").Should().Be(0);
            await db.CommitHeldAsync(CancellationToken.None);
        });

        await VtpApi.UntilAsync(() => api.Runs.CountOf("uncommitted") == 1, "the job");
        await VtpApi.UntilAsync(async () => await CountAsync("uncommitted") == 0, "it to be gone");
        api.Runs.CountOf("uncommitted").Should().Be(1);
    }

    [Fact]
    public async Task A_run_that_fails_while_another_waits_is_one_with_it_and_keeps_its_history()
    {
        var (first, second) = (new TaskCompletionSource(), new TaskCompletionSource());
        api.Runs.Work = (run, _) => run.Name != "failing" ? Task.CompletedTask : run.Attempts == 1 ? first.Task : second.Task;
        await EnqueueAsync("failing");
        await VtpApi.UntilAsync(() => api.Runs.Begun.Any(run => run.Name == "failing"), "the run");
        await EnqueueAsync("failing");
        first.SetException(new InvalidDataException("the first"));

        await VtpApi.UntilAsync(() => api.Runs.Begun.Count(run => run.Name == "failing") == 2, "the one that waits, without the wait of the one that failed");
        (await api.OfJobAsync<string>("failing", "state || attempts || cardinality(errors) || (errors[1] ->> 'message')")).Should().Be("running21the first");
        (await CountAsync("failing")).Should().Be(1);
        second.SetResult();
        await VtpApi.UntilAsync(async () => await CountAsync("failing") == 0, "it to be done");
    }

    [Fact]
    public async Task What_a_dead_node_ran_or_a_dead_letter_was_is_one_with_what_waits()
    {
        await EnqueueAsync("rescued", Later);
        await InsertAsync("jobs", "rescued", ", state, leased_until", ", 'running', now() - interval '1 second'");
        await VtpApi.UntilAsync(() => api.Runs.CountOf("rescued") == 1, "the rescued one, at its own time");
        await VtpApi.UntilAsync(async () => await CountAsync("rescued") == 0, "nothing to be left");

        await EnqueueAsync("replayed", Later);
        var waiting = await api.OfJobAsync<Guid>("replayed", "id");
        var dead = await InsertAsync("dead_jobs", "replayed", ", died_at", ", now()");
        api.Runs.Work = (run, _) => run.Name == "replayed" ? throw new InvalidDataException("again") : Task.CompletedTask;
        (await api.Service<DeadJobs>().ReplayAsync(dead, CancellationToken.None)).Should().BeTrue();
        await VtpApi.UntilAsync(async () => await api.OfJobAsync<int>("replayed", "cardinality(errors)") == 2, "its history and one more");
        (await api.OfJobAsync<Guid>("replayed", "id")).Should().Be(waiting);
        await api.QueryAsync<int>("DELETE FROM jobs WHERE unique_key = 'replayed'");
    }

    [Fact]
    public async Task What_a_node_gives_back_is_one_with_what_waits()
    {
        var release = new TaskCompletionSource();
        api.Runs.Work = (run, _) => run is { Name: "given back", Attempts: 1 } ? release.Task : Task.CompletedTask;
        await EnqueueAsync("given back");
        await VtpApi.UntilAsync(() => api.Runs.Begun.Any(run => run.Name == "given back"), "the run");
        var id = await api.OfJobAsync<Guid>("given back", "id");
        await EnqueueAsync("given back", Later);

        var job = new ClaimedJob(id, Claim: 1, api.Service<JobKinds>().Named("test.note"), null, null, "{}", 1, 3, null, null);
        await api.Service<JobStore>().GiveBackAsync([job], CancellationToken.None);

        await VtpApi.UntilAsync(() => api.Runs.CountOf("given back") == 1, "the one that waited, now at the time of the other");
        release.SetResult();
        await VtpApi.UntilAsync(async () => await CountAsync("given back") == 0, "nothing to be left");
    }

    [Fact]
    public async Task A_job_whose_key_runs_takes_no_share_of_its_tenants_limit()
    {
        var tenant = Guid.NewGuid();
        var release = new TaskCompletionSource();
        api.Runs.Work = (run, _) => run.Name == "blocking" ? release.Task : Task.CompletedTask;
        for (var count = 0; count < 2; count++)
        {
            await api.InScopeAsync(
                db =>
                {
                    db.Enqueue(new TwoPerTenantCommand("blocking"), uniqueKey: "blocking");
                    return db.SaveChangesAsync();
                },
                tenant);
            await VtpApi.UntilAsync(() => api.Runs.Begun.Any(run => run.Name == "blocking"), "the first to run");
        }

        await api.EnqueueAsync(tenant, new TwoPerTenantCommand("behind the blocked one"));

        await VtpApi.UntilAsync(() => api.Runs.CountOf("behind the blocked one") == 1, "the other job");
        api.Runs.Begun.Count(run => run.Name == "blocking").Should().Be(1);
        release.SetResult();
        await VtpApi.UntilAsync(async () => await CountAsync("blocking") == 0, "all to be done");
        api.Runs.CountOf("blocking").Should().Be(2);
    }

    [Fact]
    public async Task Two_nodes_never_run_one_key_at_once_and_miss_no_change()
    {
        var second = await api.AnotherNodeAsync();
        try
        {
            var (now, most, seen, changes) = (0, 0, 0, 0);
            api.Runs.Work = async (run, cancellationToken) =>
            {
                if (run.Name == "alone")
                {
                    most = Math.Max(most, Interlocked.Increment(ref now));
                    var read = Volatile.Read(ref changes);
                    await Task.Yield();
                    seen = read;
                    Interlocked.Decrement(ref now);
                }
            };
            for (var round = 0; round < 100; round++)
            {
                Interlocked.Increment(ref changes);
                await (round % 2 == 0 ? api : second).InScopeAsync(db =>
                {
                    db.Enqueue(new NoteCommand("alone"), uniqueKey: "alone");
                    return db.SaveChangesAsync();
                });
            }

            await VtpApi.UntilAsync(async () => await CountAsync("alone") == 0, "all to be done");
            most.Should().Be(1);
            seen.Should().Be(100, "the last run began after the last change");
        }
        finally
        {
            await second.DisposeAsync();
        }
    }

    private Task<long> CountAsync(string key) => api.QueryAsync<long>("SELECT count(*) FROM jobs WHERE unique_key = $1", key);

    private Task EnqueueAsync(string name, DateTimeOffset? runAt = null, Guid? organization = null) => api.InScopeAsync(
        db =>
        {
            db.Enqueue(new NoteCommand(name), runAt, name);
            return db.SaveChangesAsync();
        },
        organization);

    private async Task<Guid> InsertAsync(string table, string name, string columns, string values)
    {
        var id = Guid.NewGuid();
        var isDead = table == "dead_jobs";
        await api.QueryAsync<int>(
            $$"""
            INSERT INTO {{table}} (id, kind, payload, unique_key, priority{{(isDead ? "" : ", run_at")}}, attempts, max_attempts, errors, actor_type, enqueued_at{{columns}})
            VALUES ($1, 'test.note', json_build_object('Name', $2), $2, 0{{(isDead ? "" : ", now()")}}, 1, 3, ARRAY['{"message": "before"}'::jsonb], 'system', now(){{values}})
            """,
            id, name);
        return id;
    }
}
