using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>What operators do to all jobs of a kind.</summary>
public sealed class KindTests(JobApi api) : IClassFixture<JobApi>
{
    [Fact]
    public async Task A_paused_kind_begins_on_no_node_until_it_is_resumed_and_others_go_on()
    {
        var second = await api.AnotherNodeAsync();
        try
        {
            var administrator = await api.RegisterAdministratorAsync();
            var release = new TaskCompletionSource();
            api.Runs.Work = (run, _) => run.Name == "running" ? release.Task : Task.CompletedTask;
            await api.EnqueueAsync(new TwoPerTenantCommand("running"));
            await VtpApi.UntilAsync(() => api.Runs.Begun.Any(run => run.Name == "running"), "a run before the pause");

            for (var time = 0; time < 2; time++)
            {
                (await administrator.PostAsync("admin/jobs/kinds/test.two_per_tenant/pause")).Status.Should().Be(HttpStatusCode.NoContent);
            }

            foreach (var node in new[] { api, second })
            {
                await node.EnqueueAsync(Guid.NewGuid(), new TwoPerTenantCommand("paused"), new NoteCommand("of another kind"));
            }

            await VtpApi.UntilAsync(() => api.Runs.CountOf("of another kind") == 2, "jobs that were enqueued with them");
            await TurnsAsync(api, second);
            api.Runs.Begun.Should().NotContain(run => run.Name == "paused");
            (await IsPausedAsync(administrator, "test.two_per_tenant")).Should().BeTrue();
            (await IsPausedAsync(administrator, "test.note")).Should().BeFalse();
            release.SetResult();
            await VtpApi.UntilAsync(() => api.Runs.CountOf("running") == 1, "the run from before the pause to end");

            for (var time = 0; time < 2; time++)
            {
                (await administrator.PostAsync("admin/jobs/kinds/test.two_per_tenant/resume")).Status.Should().Be(HttpStatusCode.NoContent);
            }

            await VtpApi.UntilAsync(() => api.Runs.CountOf("paused") == 2, "the paused jobs");
            await api.EmptyAsync();
            (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'job_kind.paused' AND outcome = 'succeeded' AND target_name = 'test.two_per_tenant'")).Should().Be(2);
        }
        finally
        {
            await second.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_a_node_has_claimed_and_not_begun_it_gives_back_within_two_seconds()
    {
        var busy = await JobApi.StartNewAsync();
        try
        {
            var administrator = await busy.RegisterAdministratorAsync();
            var release = new TaskCompletionSource();
            busy.Runs.Work = (run, _) => run.Name == "quick" ? Task.CompletedTask : release.Task;
            await busy.EnqueueAsync([.. Enumerable.Repeat(new NoteCommand("quick"), 500), .. Enumerable.Repeat(new NoteCommand("slow"), 500)]);
            await VtpApi.UntilAsync(() => busy.Runs.Begun.Count(run => run.Name == "slow") == 32, "all places to be taken");

            (await administrator.PostAsync("admin/jobs/kinds/test.note/pause")).Status.Should().Be(HttpStatusCode.NoContent);
            await VtpApi.UntilAsync(
                async () => await busy.QueryAsync<long>("SELECT count(*) FROM jobs WHERE state = 'running' AND kind = 'test.note'") == 32, "what waited for a place to be given back");
            release.SetResult();
            await VtpApi.UntilAsync(
                async () => await busy.QueryAsync<long>("SELECT count(*) FROM jobs WHERE state = 'running' AND kind = 'test.note'") == 0, "the runs to end");

            busy.Runs.Begun.Count(run => run.Name == "slow").Should().Be(32);
        }
        finally
        {
            await busy.DisposeAsync();
        }
    }

    [Fact]
    public async Task An_unknown_kind_cannot_be_paused()
    {
        var administrator = await api.RegisterAdministratorAsync();

        (await administrator.PostAsync("admin/jobs/kinds/none/pause")).ShouldBeProblem(HttpStatusCode.NotFound, "job.kind_not_found");
        (await administrator.PostAsync("admin/jobs/kinds/none/resume")).ShouldBeProblem(HttpStatusCode.NotFound, "job.kind_not_found");
    }

    [Fact]
    public async Task Dead_letters_of_a_kind_run_again_oldest_first_and_no_more_than_asked_for()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var (other, first, second) = (await DieAsync("test.counted", "other kind", 1), await DieAsync("test.note", "first", 1500), await DieAsync("test.note", "second", 10));

        var answer = await administrator.PostAsync("admin/jobs/replay", new { kind = "test.note", limit = first });
        answer.Body.GetProperty("replayed").GetInt32().Should().Be(first, answer.Text);
        answer.Body.GetProperty("is_complete").GetBoolean().Should().BeFalse();
        await VtpApi.UntilAsync(() => api.Runs.CountOf("first") == first, "the first to run");
        api.Runs.Begun.Should().NotContain(run => run.Name == "second");

        answer = await administrator.PostAsync("admin/jobs/replay", new { kind = "test.note" });
        answer.Body.GetProperty("replayed").GetInt32().Should().Be(second);
        answer.Body.GetProperty("is_complete").GetBoolean().Should().BeTrue();
        await VtpApi.UntilAsync(() => api.Runs.CountOf("second") == second, "the others to run");
        (await api.CountAsync("dead_jobs")).Should().Be(other);
        (await administrator.PostAsync("admin/jobs/replay", new { kind = "test.note", limit = 10_001 })).Status.Should().Be(HttpStatusCode.BadRequest);
        (await administrator.PostAsync("admin/jobs/replay", new { limit = 1 })).Status.Should().Be(HttpStatusCode.BadRequest);
        await api.QueryAsync<int>("DELETE FROM dead_jobs");
    }

    [Fact]
    public async Task Dead_letters_of_one_unique_key_come_back_as_one_job_and_join_one_that_waits()
    {
        var busy = await JobApi.StartNewAsync();
        try
        {
            var administrator = await busy.RegisterAdministratorAsync();
            await busy.MailSettledAsync();
            await busy.QueryAsync<int>(
                """
                INSERT INTO dead_jobs (id, kind, organization_id, payload, unique_key, priority, attempts, max_attempts, errors, actor_type, enqueued_at, died_at)
                SELECT gen_random_uuid(), 'test.note', organization, '{"Name": "keyed"}', key, 0, 3, 3, '{}', 'system', now(), now() - interval '1 second'
                FROM generate_series(1, 10), unnest(ARRAY['one', 'two']) key, unnest(ARRAY[gen_random_uuid(), NULL]) organization
                """);
            await busy.InScopeAsync(db =>
            {
                db.Enqueue(new NoteCommand("keyed"), busy.Clock.GetUtcNow().AddDays(1), uniqueKey: "one");
                return db.SaveChangesAsync();
            });
            var organizations = await busy.QueryAsync<long>("SELECT count(DISTINCT coalesce(organization_id::text, '')) FROM dead_jobs");

            var answer = await administrator.PostAsync("admin/jobs/replay", new { kind = "test.note" });

            answer.Body.GetProperty("replayed").GetInt32().Should().Be(40, answer.Text);
            await busy.EmptyAsync();
            busy.Runs.CountOf("keyed").Should().Be((int)organizations * 2);
        }
        finally
        {
            await busy.DisposeAsync();
        }
    }

    /// <summary>Each node has looked for jobs since.</summary>
    private async Task TurnsAsync(params JobApi[] nodes)
    {
        foreach (var node in nodes)
        {
            await VtpApi.UntilAsync(
                async () =>
                {
                    await node.EnqueueAsync(new NoteCommand("turn"));
                    return api.Runs.Ended.Any(run => run.Name == "turn" && run.Node == (object)node.Service<Node>());
                },
                "a turn of this node");
        }
    }

    private async Task<int> DieAsync(string kind, string name, int count)
    {
        await api.QueryAsync<int>(
            """
            INSERT INTO dead_jobs (id, kind, payload, priority, attempts, max_attempts, errors, actor_type, enqueued_at, died_at)
            SELECT (CASE $2 WHEN 'first' THEN '01' ELSE '02' END || substr(gen_random_uuid()::text, 3))::uuid, $1,
                json_build_object('Name', $2), 0, 3, 3, '{}', 'system', now(), now() - interval '1 second'
            FROM generate_series(1, $3)
            """,
            kind,
            name,
            count);
        return count;
    }

    private static async Task<bool> IsPausedAsync(Person administrator, string kind) =>
        (await administrator.GetAsync("admin/jobs/stats")).Body.GetProperty("kinds").EnumerateArray()
            .Single(one => one.GetProperty("kind").GetString() == kind).GetProperty("is_paused").GetBoolean();
}
