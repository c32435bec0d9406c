using System.Net;
using System.Text.Json;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Audit;

/// <summary>What the trail says of those who did something, and of those who were refused.</summary>
public sealed class EntryTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task A_person_leaves_who_what_from_where_and_what_was_before()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync("Film");
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/v1/{project.Path}") { Content = JsonContent("""{"name":"Cinema"}""") };
        request.Headers.Authorization = new("Bearer", school.Owner.AccessToken);
        request.Headers.TryAddWithoutValidation("User-Agent", "audit-test/1");

        var answer = await api.SendAsync(request);

        var entry = (await school.EntriesAsync("&action=project.updated")).Single();
        Text(entry, "user_email").Should().Be(school.Owner.Email);
        Text(entry, "actor_type").Should().Be("user");
        Text(entry, "actor_id").Should().Be(school.Owner.UserId.ToString());
        Text(entry, "project_id").Should().Be(project.Id.ToString());
        Text(entry, "resource").Should().Be("project");
        Text(entry, "resource_id").Should().Be(project.Id.ToString());
        Text(entry, "resource_name").Should().Be("Film");
        Text(entry, "ip_address").Should().Be("127.0.0.1");
        Text(entry, "user_agent").Should().Be("audit-test/1");
        Text(entry, "trace_id").Should().Be(answer.Headers.GetValues("X-Request-ID").Single());
        Text(entry, "status").Should().Be("Success");
        entry.GetProperty("reason").ValueKind.Should().Be(JsonValueKind.Null);
        var change = entry.GetProperty("changes")[0];
        Text(change.GetProperty("before"), "name").Should().Be("Film");
        Text(change.GetProperty("after"), "name").Should().Be("Cinema");
    }

    [Fact]
    public async Task A_refusal_says_why_and_a_key_the_server_and_nobody_are_told_apart()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var viewer = await api.RegisterAsync();
        await school.AddMemberAsync(viewer, "Viewer");

        (await viewer.PutAsync(project.Path, new { name = "Mine now" })).Status.Should().Be(HttpStatusCode.Forbidden);
        (await api.WithKeyAsync(HttpMethod.Put, project.Path, project.Secret, new { chat_enabled = true })).Status.Should().Be(HttpStatusCode.OK);
        (await api.SignInAsync(Intents.NewAddress(), "a wrong password")).Status.Should().Be(HttpStatusCode.Unauthorized);

        var refused = (await school.EntriesAsync("&status=Failed")).Single();
        (Text(refused, "reason"), Text(refused, "user_email"), Text(refused, "action")).Should().Be(("auth.forbidden", viewer.Email, "project.updated"));
        var byKey = (await school.EntriesAsync("&actor_type=key")).Single();
        (Text(byKey, "action"), Text(byKey, "status")).Should().Be(("project.updated", "Success"));
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE actor_type = 'anonymous' AND organization_id IS NULL AND outcome = 'refused' AND action = 'session.started'"))
            .Should().BeGreaterThan(0);
        (await api.QueryAsync<bool>("SELECT bool_and(organization_id IS NOT NULL OR action !~ '^(project|organization|api_key)\\.') FROM audit_entries WHERE outcome = 'succeeded'")).Should().BeTrue();
    }

    [Fact]
    public async Task No_secret_is_in_any_column_of_the_trail()
    {
        var password = $"canary-{Guid.NewGuid():N}";
        var person = await api.RegisterAsync(password: password);
        var school = await person.FoundAsync();
        var project = await school.CreateProjectAsync();
        var key = (await person.PostAsync($"{project.Path}/keys", new { name = "Canary", scopes = new[] { "*" } }))["key"];
        var rotated = await person.PostAsync($"{project.Path}/regenerate-keys", new { overlap_hours = 1 });
        var other = $"another-{Guid.NewGuid():N}";
        await person.PostAsync("auth/change-password", new { current_password = password, new_password = other });
        var again = await api.SignInAsync(person.Email, other);
        await school.InviteAsync(Intents.NewAddress());
        await school.SealedAsync();

        var hash = await api.QueryAsync<string>("SELECT password_hash FROM accounts WHERE id = $1", person.UserId);
        var keyHash = await api.QueryAsync<string>("SELECT encode(key_hash, 'hex') FROM api_keys WHERE name = 'Canary' AND project_id = $1", project.Id);
        var trail = await api.QueryAsync<string>("SELECT string_agg(entry::text, E'\\n') FROM audit_entries entry");
        string[] secrets =
        [
            password, other, hash!, hash![^20..], keyHash!, key, project.Secret, project.Key, person.AccessToken, person.RefreshToken,
            again.Has("access_token") ? again["access_token"] : person.AccessToken, .. rotated.Has("api_secret") ? new[] { rotated["api_secret"] } : [],
        ];
        foreach (var secret in secrets)
        {
            trail.Should().NotContain(secret);
        }

        trail.Should().Contain("[redacted]");
    }

    [Fact]
    public async Task Change_and_entry_are_written_together_or_not_at_all()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync("Film");

        // The entry is the last thing that the save writes; what ends the connection there takes the change with it.
        await api.QueryAsync<int>(
            """
            CREATE FUNCTION end_connection() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_terminate_backend(pg_backend_pid());
                PERFORM pg_sleep(10);
                RETURN NEW;
            END $$;
            CREATE TRIGGER end_connection BEFORE INSERT ON audit_entries FOR EACH ROW WHEN (NEW.action = 'project.updated') EXECUTE FUNCTION end_connection()
            """);
        try
        {
            var answer = await school.Owner.PutAsync(project.Path, new { name = "Cinema" });

            ((int)answer.Status).Should().BeGreaterThanOrEqualTo(500);
        }
        finally
        {
            await api.QueryAsync<int>("DROP TRIGGER end_connection ON audit_entries; DROP FUNCTION end_connection()");
        }

        (await school.Owner.GetAsync(project.Path))["name"].Should().Be("Film");
        (await school.EntriesAsync("&action=project.updated")).Should().BeEmpty();
    }

    private static string Text(JsonElement entry, string field) => entry.GetProperty(field).ToString();

    private static StringContent JsonContent(string json) => new(json, System.Text.Encoding.UTF8, "application/json");
}
