using System.Text.Json;
using Vtp.Infrastructure.Jobs;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>What fails is tried again, and in the end kept for somebody to decide.</summary>
public sealed class FailureTests(JobApi api) : IClassFixture<JobApi>
{
    [Fact]
    public async Task A_job_that_fails_waits_longer_each_time_and_is_replayed_when_somebody_says_so()
    {
        var isBroken = true;
        api.Runs.Work = (run, _) => run.Name == "broken" && isBroken
            ? throw new InvalidDataException($"attempt {run.Attempts}\0\ud800 {new string('x', 1000)}")
            : Task.CompletedTask;
        await api.EnqueueAsync(new NoteCommand("broken"));

        await ScheduledAsync(attempts: 1, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(12.5));
        api.Clock.Advance(TimeSpan.FromSeconds(13));
        await ScheduledAsync(attempts: 2, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(18.75));
        api.Clock.Advance(TimeSpan.FromSeconds(19));

        await VtpApi.UntilAsync(async () => await api.OfJobAsync<int>("broken", "attempts", "dead_jobs") == 3, "a dead letter");
        (await api.OfJobAsync<string>("broken", "state")).Should().BeNull();
        var errors = JsonSerializer.Deserialize<JsonElement[]>((await api.OfJobAsync<string>("broken", "to_jsonb(errors)::text", "dead_jobs"))!)!;
        errors.Select(error => error.GetProperty("attempt").GetInt32()).Should().Equal(1, 2, 3);
        errors.Should().OnlyContain(error => error.GetProperty("type").GetString() == "InvalidDataException" && error.GetProperty("message").GetString()!.Length == 500);

        isBroken = false;
        var id = await api.OfJobAsync<Guid>("broken", "id", "dead_jobs");
        (await api.Service<DeadJobs>().ReplayAsync(id, CancellationToken.None)).Should().BeTrue();
        (await api.Service<DeadJobs>().ReplayAsync(id, CancellationToken.None)).Should().BeFalse("it is no dead letter any more");
        await VtpApi.UntilAsync(() => api.Runs.CountOf("broken") == 1, "the replayed job");
        await api.EmptyAsync();
    }

    [Fact]
    public async Task The_history_of_a_job_has_an_end()
    {
        await api.EnqueueAsync(new NoteCommand("history"));
        var kept = await api.QueryAsync<int[]>(
            """
            WITH RECURSIVE history AS (
                SELECT '{}'::jsonb[] AS errors, 0 AS attempt
                UNION ALL SELECT jobs_add_error(errors, attempt + 1, now(), 'Fault', 'x'), attempt + 1 FROM history WHERE attempt < 25)
            SELECT (SELECT array_agg((error ->> 'attempt')::integer) FROM unnest(errors) error) FROM history WHERE attempt = 25
            """);

        kept.Should().Equal(Enumerable.Range(16, 10));
    }

    [Theory]
    [InlineData("""{"Name": 5}""")]
    [InlineData("""{}""")]
    [InlineData("""{"Name": null}""")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task A_payload_that_cannot_be_read_is_a_dead_letter_at_once(string payload)
    {
        var id = Guid.NewGuid();
        await InsertAsync(id, "test.note", payload, runAt: api.Clock.GetUtcNow());
        await api.EnqueueAsync(new NoteCommand($"behind {payload}"));

        await VtpApi.UntilAsync(async () => await ErrorOfDeadAsync(id) == "InvalidPayload", "a dead letter");
        await VtpApi.UntilAsync(() => api.Runs.CountOf($"behind {payload}") == 1, "the job behind it");
        (await api.QueryAsync<int>("SELECT attempts FROM dead_jobs WHERE id = $1", id)).Should().Be(1);
    }

    [Fact]
    public async Task A_kind_that_nobody_knows_blocks_nothing_and_is_a_dead_letter_after_the_time_of_an_update()
    {
        var id = Guid.NewGuid();
        await InsertAsync(id, "test.gone", "{}", api.Clock.GetUtcNow());
        await api.EnqueueAsync(new NoteCommand("behind an unknown kind"));
        await VtpApi.UntilAsync(() => api.Runs.CountOf("behind an unknown kind") == 1, "the job behind it");
        (await api.QueryAsync<string>("SELECT state FROM jobs WHERE id = $1", id)).Should().Be("ready");

        api.Clock.Advance(JobStore.UnknownFor + TimeSpan.FromSeconds(1));

        await VtpApi.UntilAsync(async () => await ErrorOfDeadAsync(id) == "UnknownKind", "a dead letter");
    }

    private Task<string?> ErrorOfDeadAsync(Guid id) => api.QueryAsync<string>("SELECT errors[1] ->> 'type' FROM dead_jobs WHERE id = $1", id);

    private Task<int> InsertAsync(Guid id, string kind, string payload, DateTimeOffset runAt) => api.QueryAsync<int>(
        """
        INSERT INTO jobs (id, kind, payload, priority, state, run_at, max_attempts, actor_type, enqueued_at)
        VALUES ($1, $2, $3::json, 0, 'ready', $4, 3, 'system', $4)
        """,
        id, kind, payload, runAt);

    private async Task ScheduledAsync(int attempts, TimeSpan atLeast, TimeSpan atMost)
    {
        await VtpApi.UntilAsync(
            async () => await api.OfJobAsync<int>("broken", "attempts") == attempts && await api.OfJobAsync<string>("broken", "state") == "scheduled", $"attempt {attempts}");
        var wait = await api.OfJobAsync<double>("broken", "extract(epoch FROM run_at - (errors[cardinality(errors)] ->> 'at')::timestamptz)::float8");
        wait.Should().BeInRange(atLeast.TotalSeconds - 0.001, atMost.TotalSeconds);
    }
}
