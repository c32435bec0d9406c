using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>What administrators see of the queue and the schedules, and what they may do to them.</summary>
public sealed class AdministrationTests(JobApi api) : IClassFixture<JobApi>
{
    [Fact]
    public async Task A_dead_letter_is_found_with_its_errors_and_run_again()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var isBroken = true;
        api.Runs.Work = (run, _) => run.Name == "listed" && isBroken ? throw new InvalidDataException("broken") : Task.CompletedTask;
        await api.EnqueueAsync(new NoteCommand("listed"));
        await VtpApi.UntilAsync(async () => await api.OfJobAsync<string>("listed", "state") == "scheduled", "the first attempt");
        await api.QueryAsync<int>("UPDATE jobs SET attempts = max_attempts - 1 WHERE payload ->> 'Name' = 'listed'");
        api.Clock.Advance(TimeSpan.FromSeconds(20));
        await VtpApi.UntilAsync(async () => await api.OfJobAsync<Guid>("listed", "id", "dead_jobs") != default, "the dead letter");

        var listed = (await administrator.GetAsync("admin/jobs?state=dead&kind=test.note")).Body.GetProperty("data").EnumerateArray().Single();
        listed.GetProperty("state").GetString().Should().Be("dead");
        var id = listed.GetProperty("id").GetGuid();
        (await administrator.GetAsync($"admin/jobs/{id}")).Body.GetProperty("errors")[0].GetProperty("message").GetString().Should().Be("broken");

        isBroken = false;
        (await administrator.PostAsync($"admin/jobs/{id}/retry")).Status.Should().Be(HttpStatusCode.NoContent);
        await VtpApi.UntilAsync(() => api.Runs.CountOf("listed") == 1, "the replayed job");
        await api.EmptyAsync();
        (await administrator.PostAsync($"admin/jobs/{id}/retry")).Status.Should().Be(HttpStatusCode.NotFound);
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'job.retried' AND outcome = 'succeeded'")).Should().Be(1);
    }

    [Fact]
    public async Task A_job_that_waits_is_run_now_or_removed_and_one_that_runs_is_left_alone()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var release = new TaskCompletionSource();
        api.Runs.Work = (run, _) => run.Name == "now" ? release.Task : Task.CompletedTask;
        var later = api.Clock.GetUtcNow() + TimeSpan.FromDays(1);
        await api.InScopeAsync(db =>
        {
            db.Enqueue(new NoteCommand("now"), later);
            db.Enqueue(new NoteCommand("never"), later);
            return db.SaveChangesAsync();
        });
        var (now, never) = (await api.OfJobAsync<Guid>("now", "id"), await api.OfJobAsync<Guid>("never", "id"));

        (await administrator.PostAsync($"admin/jobs/{now}/retry")).Status.Should().Be(HttpStatusCode.NoContent);
        (await administrator.PostAsync($"admin/jobs/{never}/delete")).Status.Should().Be(HttpStatusCode.NoContent);
        await VtpApi.UntilAsync(() => api.Runs.Begun.Any(run => run.Name == "now"), "the run");
        (await administrator.PostAsync($"admin/jobs/{now}/delete")).Status.Should().Be(HttpStatusCode.Conflict);

        release.SetResult();
        await api.EmptyAsync();
        api.Runs.Begun.Should().NotContain(run => run.Name == "never");
    }

    [Fact]
    public async Task A_schedule_is_listed_paused_resumed_and_run()
    {
        var administrator = await api.RegisterAdministratorAsync();
        const string name = "jobs.remove_old";
        await VtpApi.UntilAsync(async () => await NextAsync() is not null, "the schedules to be stored");

        (await administrator.PostAsync($"admin/schedules/{name}/pause")).Status.Should().Be(HttpStatusCode.NoContent);
        (await ScheduleAsync()).GetProperty("paused").GetBoolean().Should().BeTrue();
        (await administrator.PostAsync($"admin/schedules/{name}/resume")).Status.Should().Be(HttpStatusCode.NoContent);
        (await ScheduleAsync()).GetProperty("paused").GetBoolean().Should().BeFalse();

        var dead = Guid.NewGuid();
        await api.QueryAsync<int>(
            """
            INSERT INTO dead_jobs (id, kind, payload, priority, attempts, max_attempts, errors, actor_type, enqueued_at, died_at)
            VALUES ($1, 'test.note', '{}', 0, 3, 3, '{}', 'system', now(), now() - interval '31 days')
            """,
            dead);
        (await administrator.PostAsync($"admin/schedules/{name}/run")).Status.Should().Be(HttpStatusCode.NoContent);
        await VtpApi.UntilAsync(async () => await api.QueryAsync<long>("SELECT count(*) FROM dead_jobs WHERE id = $1", dead) == 0, "what it is there for");
        (await administrator.PostAsync("admin/schedules/none/run")).Status.Should().Be(HttpStatusCode.NotFound);

        async Task<System.Text.Json.JsonElement> ScheduleAsync() =>
            (await administrator.GetAsync("admin/schedules")).Body.GetProperty("data").EnumerateArray().Single(one => one.GetProperty("name").GetString() == name);

        async Task<string?> NextAsync() => (await ScheduleAsync()).GetProperty("next_at").GetString();
    }
}
