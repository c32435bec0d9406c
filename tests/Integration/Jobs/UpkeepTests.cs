using Vtp.Application.Operations.Upkeep;
using Vtp.Infrastructure.Upkeep;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Jobs;

/// <summary>What has had its time goes, and nothing before.</summary>
public sealed class UpkeepTests(VtpApi api) : IClassFixture<VtpApi>
{
    private IUpkeep Upkeep => api.Service<IUpkeep>();

    [Fact]
    public async Task A_deleted_organization_goes_after_thirty_days_with_all_that_is_its_own_but_the_trail()
    {
        var (gone, kept, living) = (await api.FoundSchoolAsync(), await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        await DeleteAsync(gone.Id, DatabaseUpkeep.DeletedFor + TimeSpan.FromHours(1));
        await DeleteAsync(kept.Id, DatabaseUpkeep.DeletedFor - TimeSpan.FromHours(1));
        foreach (var school in new[] { gone, living })
        {
            await api.QueryAsync<int>(
                "INSERT INTO room_recordings (id, organization_id, room, room_id, status, started_by, started_at, ended_at) VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'lesson', 'completed', $2, now(), now())",
                school.Id,
                school.Owner.UserId);
        }

        var trail = await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1", gone.Id);

        await Upkeep.PurgeDeletedAsync(CancellationToken.None);

        foreach (var table in new[] { "members", "projects", "api_keys", "invitations", "jobs", "dead_jobs", "room_recordings" })
        {
            (await api.QueryAsync<long>($"SELECT count(*) FROM {table} WHERE organization_id = $1", gone.Id)).Should().Be(0, table);
        }

        (await api.QueryAsync<long>("SELECT count(*) FROM organizations WHERE id IN ($1, $2, $3)", gone.Id, kept.Id, living.Id)).Should().Be(2);
        (await CountAsync("room_recordings", "organization_id", living.Id)).Should().Be(1);
        trail.Should().BePositive();
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1", gone.Id)).Should().Be(trail);
    }

    [Fact]
    public async Task A_deleted_project_goes_after_thirty_days_and_its_organization_stays()
    {
        var school = await api.FoundSchoolAsync();
        var (gone, kept, living) = (await school.CreateProjectAsync(), await school.CreateProjectAsync(), await school.CreateProjectAsync());
        await DeleteProjectAsync(gone.Id, DatabaseUpkeep.DeletedFor + TimeSpan.FromHours(1));
        await DeleteProjectAsync(kept.Id, DatabaseUpkeep.DeletedFor - TimeSpan.FromHours(1));
        foreach (var project in new[] { gone.Id, living.Id })
        {
            await api.QueryAsync<int>(
                """
                INSERT INTO dead_jobs (id, kind, organization_id, project_id, payload, priority, attempts, max_attempts, errors, actor_type, enqueued_at, died_at)
                VALUES (gen_random_uuid(), 'test.note', $1, $2, '{}', 0, 3, 3, '{}', 'system', now(), now())
                """,
                school.Id,
                project);
        }

        await Upkeep.PurgeDeletedAsync(CancellationToken.None);

        (await CountAsync("projects", "id", gone.Id)).Should().Be(0);
        foreach (var table in new[] { "api_keys", "dead_jobs" })
        {
            (await CountAsync(table, "project_id", gone.Id)).Should().Be(0, table);
            (await CountAsync(table, "project_id", living.Id)).Should().BePositive(table);
        }

        (await CountAsync("projects", "id", kept.Id)).Should().Be(1);
        (await CountAsync("api_keys", "project_id", kept.Id)).Should().BePositive();
        (await CountAsync("organizations", "id", school.Id)).Should().Be(1);
    }

    [Fact]
    public async Task Invitations_that_expired_ninety_days_ago_go()
    {
        var school = await api.FoundSchoolAsync();
        var (gone, kept) = (await InviteAsync(TimeSpan.FromHours(1)), await InviteAsync(TimeSpan.FromHours(-1)));

        await Upkeep.PurgeDeletedAsync(CancellationToken.None);

        (await CountAsync("invitations", "id", gone)).Should().Be(0);
        (await CountAsync("invitations", "id", kept)).Should().Be(1);

        async Task<Guid> InviteAsync(TimeSpan over)
        {
            var id = (await school.InviteAsync(Intents.NewAddress())).Body.GetProperty("invitation").GetProperty("id").GetGuid();
            await api.QueryAsync<int>("UPDATE invitations SET expires_at = $2 WHERE id = $1", id, api.Clock.GetUtcNow() - DatabaseUpkeep.InvitationsFor - over);
            return id;
        }
    }

    [Fact]
    public async Task Expired_secrets_and_sessions_that_ended_long_ago_go()
    {
        var person = await api.RegisterAsync();
        await api.MailSettledAsync();
        await Upkeep.RemoveExpiredSecretsAsync(CancellationToken.None);
        (await CountOfAsync("email_verification_tokens", person.UserId)).Should().Be(1);
        (await CountOfAsync("sessions", person.UserId)).Should().Be(1);

        await api.QueryAsync<int>("UPDATE email_verification_tokens SET expires_at = $2 WHERE account_id = $1", person.UserId, api.Clock.GetUtcNow());
        await api.QueryAsync<int>(
            "UPDATE sessions SET ended_at = $2 WHERE account_id = $1", person.UserId, api.Clock.GetUtcNow() - DatabaseUpkeep.SessionsFor - TimeSpan.FromMinutes(1));
        await Upkeep.RemoveExpiredSecretsAsync(CancellationToken.None);

        (await CountOfAsync("email_verification_tokens", person.UserId)).Should().Be(0);
        (await CountOfAsync("sessions", person.UserId)).Should().Be(0);
    }

    [Fact]
    public async Task Mail_that_a_node_of_the_version_before_wrote_during_an_update_is_adopted_when_nobody_sends_it()
    {
        var id = Guid.NewGuid();
        await api.QueryAsync<int>(
            """
            INSERT INTO emails (id, kind, recipient, created_at, next_attempt_at, attempts)
            VALUES ($1, 'password_changed', 'nobody@example.com', now(), now() - interval '2 minutes', 0)
            """,
            id);

        await Upkeep.AdoptMailAsync(CancellationToken.None);

        await VtpApi.UntilAsync(() => api.QueryAsync<bool>("SELECT settled_at IS NOT NULL FROM emails WHERE id = $1", id), "its job");
    }

    private Task<long> CountOfAsync(string table, Guid account) => api.QueryAsync<long>($"SELECT count(*) FROM {table} WHERE account_id = $1", account);

    private Task<long> CountAsync(string table, string column, Guid id) => api.QueryAsync<long>($"SELECT count(*) FROM {table} WHERE {column} = $1", id);

    private Task<int> DeleteProjectAsync(Guid project, TimeSpan ago) =>
        api.QueryAsync<int>("UPDATE projects SET deleted_at = $2 WHERE id = $1", project, api.Clock.GetUtcNow() - ago);

    private Task<int> DeleteAsync(Guid organization, TimeSpan ago) =>
        api.QueryAsync<int>("UPDATE organizations SET deleted_at = $2 WHERE id = $1", organization, api.Clock.GetUtcNow() - ago);
}
