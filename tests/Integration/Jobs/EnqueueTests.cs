using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Jobs;

/// <summary>A job is there when its transaction has committed, once, and not before.</summary>
public sealed class EnqueueTests(JobApi api) : IClassFixture<JobApi>
{
    [Fact]
    public async Task A_rollback_leaves_nothing()
    {
        await api.InScopeAsync(async db =>
        {
            await db.HoldAsync(CancellationToken.None);
            db.Enqueue(new NoteCommand("rolled back"));
            await db.SaveChangesAsync();
            await db.EndHoldAsync();
        });
        await api.EnqueueAsync(new NoteCommand("after the rollback"));

        await VtpApi.UntilAsync(() => api.Runs.CountOf("after the rollback") == 1, "the job that was committed");
        await api.EmptyAsync();
        api.Runs.Begun.Should().NotContain(run => run.Name == "rolled back");
    }

    [Fact]
    public async Task What_a_handler_did_not_save_is_not_enqueued()
    {
        await api.InScopeAsync(async db =>
        {
            db.Enqueue(new NoteCommand("unsaved"));
            db.ForgetChanges();
            await db.SaveChangesAsync();
        });

        (await api.OfJobAsync<string>("unsaved", "kind")).Should().BeNull();
        api.Runs.Begun.Should().NotContain(run => run.Name == "unsaved");
    }

    [Fact]
    public async Task A_committed_job_runs_once_as_the_system_in_its_tenant_and_its_trace()
    {
        var school = await api.FoundSchoolAsync();
        using var request = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();
        await api.EnqueueAsync(school.Id, new NoteCommand("of a school"));
        request.Stop();

        await VtpApi.UntilAsync(() => api.Runs.CountOf("of a school") == 1, "the job");
        await api.EmptyAsync();
        var run = api.Runs.Begun.Should().ContainSingle(run => run.Name == "of a school").Subject;
        run.IsSystem.Should().BeTrue();
        run.TraceId.Should().Be(request.TraceId.ToHexString());
        run.Tenant.Organization!.Value.Value.Should().Be(school.Id);
        run.Tenant.IsSystem.Should().BeFalse();
    }

    [Fact]
    public async Task A_delayed_job_waits_for_its_time()
    {
        await api.InScopeAsync(db =>
        {
            db.Enqueue(new NoteCommand("delayed"), api.Clock.GetUtcNow() + TimeSpan.FromHours(1));
            return db.SaveChangesAsync();
        });
        await api.EnqueueAsync(new NoteCommand("not delayed"));
        await VtpApi.UntilAsync(() => api.Runs.CountOf("not delayed") == 1, "the job that is due");
        (await api.OfJobAsync<string>("delayed", "state")).Should().Be("scheduled");
        api.Runs.CountOf("delayed").Should().Be(0);

        api.Clock.Advance(TimeSpan.FromHours(1));

        await VtpApi.UntilAsync(() => api.Runs.CountOf("delayed") == 1, "the delayed job");
    }

    [Fact]
    public async Task One_tenant_sees_nothing_of_anothers_jobs_and_cannot_enqueue_in_its_name()
    {
        var (ours, theirs) = (Guid.NewGuid(), Guid.NewGuid());
        var later = api.Clock.GetUtcNow() + TimeSpan.FromDays(1);
        foreach (var tenant in new[] { ours, theirs })
        {
            await api.InScopeAsync(
                db =>
                {
                    db.Enqueue(new NoteCommand("secret"), later);
                    return db.SaveChangesAsync();
                },
                tenant);
        }

        await api.InScopeAsync(
            async db =>
            {
                (await db.Database.SqlQuery<Guid?>($"SELECT organization_id FROM jobs").ToListAsync()).Should().Equal(ours);
                (await db.Database.ExecuteSqlAsync($"DELETE FROM jobs WHERE organization_id = {theirs}")).Should().Be(0);
                var inTheirName = () => db.Database.ExecuteSqlAsync(
                    $"""
                    INSERT INTO jobs (id, kind, organization_id, payload, priority, state, run_at, max_attempts, actor_type, enqueued_at)
                    SELECT gen_random_uuid(), kind, {theirs}, payload, priority, state, run_at, max_attempts, actor_type, enqueued_at FROM jobs
                    """);
                (await inTheirName.Should().ThrowAsync<PostgresException>()).Which.SqlState.Should().Be(PostgresErrorCodes.InsufficientPrivilege);
            },
            ours);
        await api.QueryAsync<int>("DELETE FROM jobs WHERE organization_id IN ($1, $2)", ours, theirs);
    }
}
