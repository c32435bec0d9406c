using System.Diagnostics;
using System.Net;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Infrastructure.Tenancy;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

public sealed class ApiKeyTests(TalkativeApi api) : IClassFixture<TalkativeApi>
{
    [Theory]
    [InlineData("X-API-Key")]
    [InlineData("X-Pulse-Key")]
    [InlineData("x-pulse-key")]
    [InlineData("Authorization")]
    public async Task A_key_is_read_from_every_header_that_clients_use(string header)
    {
        var project = await (await api.FoundSchoolAsync()).CreateProjectAsync();

        var answer = await api.SendAsync(HttpMethod.Get, project.Path, null, null, (header, header == "Authorization" ? $"Bearer {project.Key}" : project.Key));

        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        answer["id"].Should().Be(project.Id.ToString());
    }

    [Fact]
    public async Task The_pair_that_a_project_answers_works_and_is_not_shown_again()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();

        project.Key.Should().MatchRegex($"^{ApiKeyText.Pattern}$").And.StartWith("vtp_pk_live_");
        project.Secret.Should().MatchRegex($"^{ApiKeyText.Pattern}$").And.StartWith("vtp_sk_live_");
        foreach (var path in new[] { project.Path, "projects", $"{project.Path}/keys" })
        {
            (await school.Owner.GetAsync(path)).Text.Should().NotContain(project.Key).And.NotContain(project.Secret);
        }

        (await school.Owner.GetAsync(project.Path))["pulse_api_key"].Should().Be($"vtp_pk_live_...{project.Key[^4..]}");
        (await api.QueryAsync<string>("SELECT string_agg(api_keys::text, ' ') FROM api_keys"))
            .Should().NotContain(project.Secret[12..]).And.NotContain(project.Key[12..]);
        string.Join('\n', api.Log).Should().NotContain(project.Secret[12..]).And.NotContain(project.Key[12..]);
    }

    [Fact]
    public async Task A_wrong_checksum_is_refused_without_a_look_and_a_right_one_that_is_no_key_too()
    {
        var project = await (await api.FoundSchoolAsync()).CreateProjectAsync();
        var last = project.Key[^1] == 'A' ? 'B' : 'A';

        (await api.GetWithKeyAsync("projects", project.Key[..^1] + last)).ShouldBeProblem(HttpStatusCode.Unauthorized, "api_key.malformed");
        (await api.GetWithKeyAsync("projects", ApiKeyText.New(ApiKeyKind.Secret, ApiKeyEnvironment.Live).Value)).ShouldBeProblem(HttpStatusCode.Unauthorized, "api_key.rejected");
        (await api.GetWithKeyAsync("projects", "")).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.GetWithKeyAsync("projects", new string('x', 5000))).ShouldBeProblem(HttpStatusCode.Unauthorized, "api_key.malformed");
    }

    [Fact]
    public async Task Two_credentials_at_once_are_none()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();

        (await api.SendAsync(HttpMethod.Get, project.Path, null, school.Owner.AccessToken, ("X-API-Key", project.Secret)))
            .ShouldBeProblem(HttpStatusCode.Unauthorized, "auth.two_credentials");
    }

    [Fact]
    public async Task What_is_marked_secret_takes_a_publishable_key_with_its_own_projects_secret_only()
    {
        var school = await api.FoundSchoolAsync();
        var (project, other) = (await school.CreateProjectAsync(), await school.CreateProjectAsync("Other"));

        (await RegenerateAsync(null)).ShouldBeProblem(HttpStatusCode.Forbidden, "api_key.secret_needed");
        (await RegenerateAsync(other.Secret)).ShouldBeProblem(HttpStatusCode.Unauthorized, "api_key.secret_rejected");
        (await RegenerateAsync(project.Key)).ShouldBeProblem(HttpStatusCode.Unauthorized, "api_key.secret_rejected");
        (await RegenerateAsync("wrong")).ShouldBeProblem(HttpStatusCode.Unauthorized, "api_key.secret_rejected");
        (await RegenerateAsync(project.Secret)).Status.Should().Be(HttpStatusCode.OK);

        Task<Answer> RegenerateAsync(string? secret) => api.SendAsync(
            HttpMethod.Post,
            $"{project.Path}/regenerate-keys",
            null,
            null,
            secret is null ? [("X-Pulse-Key", project.Key)] : [("X-Pulse-Key", project.Key), ("X-Pulse-Secret", secret)]);
    }

    [Fact]
    public async Task The_old_pair_lives_through_the_overlap_and_not_a_moment_longer()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();

        var made = await school.Owner.PostAsync($"{project.Path}/regenerate-keys", new { overlap_hours = 2 });
        made.Status.Should().Be(HttpStatusCode.OK, made.Text);
        (await api.GetWithKeyAsync(project.Path, project.Secret)).Status.Should().Be(HttpStatusCode.OK);
        (await api.GetWithKeyAsync(project.Path, made["pulse_api_secret"])).Status.Should().Be(HttpStatusCode.OK);
        (await api.GetWithKeyAsync(project.Path, made["pulse_api_key"])).Status.Should().Be(HttpStatusCode.OK);

        api.Clock.Advance(TimeSpan.FromHours(2));
        (await api.GetWithKeyAsync(project.Path, project.Secret)).ShouldBeProblem(HttpStatusCode.Unauthorized, "api_key.rejected");
        (await api.GetWithKeyAsync(project.Path, made["pulse_api_secret"])).Status.Should().Be(HttpStatusCode.OK);

        var owner = await school.Owner.SignInAgainAsync();
        var third = await owner.PostAsync($"{project.Path}/regenerate-keys", new { overlap_hours = 0 });
        (await api.GetWithKeyAsync(project.Path, made["pulse_api_secret"])).Status.Should().Be(HttpStatusCode.Unauthorized, "no overlap ends it at once");
        (await api.GetWithKeyAsync(project.Path, third["pulse_api_secret"])).Status.Should().Be(HttpStatusCode.OK);
        foreach (var hours in new[] { -1, 721 })
        {
            (await owner.PostAsync($"{project.Path}/regenerate-keys", new { overlap_hours = hours })).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "overlap_hours");
        }
    }

    [Fact]
    public async Task A_rotated_key_keeps_its_powers_and_never_outlives_the_old_ones_expiry()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var end = api.Clock.GetUtcNow().AddHours(3);
        var made = await school.Owner.PostAsync(
            $"{project.Path}/keys",
            new { name = "Reports", scopes = new[] { "audit:read" }, expires_at = end, role = "admin", environment = "test", allowed_cidrs = new[] { "127.0.0.0/8" } });
        var id = made.Body.GetProperty("api_key").GetProperty("id").GetString();

        var rotated = await school.Owner.PostAsync($"{project.Path}/keys/{id}/rotate", new { overlap_hours = 24 });

        rotated.Status.Should().Be(HttpStatusCode.Created, rotated.Text);
        rotated["key"].Should().StartWith("vtp_sk_test_");
        var (old, successor) = (made.Body.GetProperty("api_key"), rotated.Body.GetProperty("api_key"));
        foreach (var field in new[] { "name", "kind", "environment", "scopes", "role", "allowed_cidrs", "expires_at" })
        {
            successor.GetProperty(field).ToString().Should().Be(old.GetProperty(field).ToString(), field);
        }

        var kept = (await school.Owner.GetAsync($"{project.Path}/keys")).Data().Single(key => key!["id"]!.GetValue<string>() == id);
        kept!["expires_at"]!.GetValue<string>().Should().Be(old.GetProperty("expires_at").GetString(), "its own expiry comes before the overlap's end");
        kept["replaced_by"]!.GetValue<string>().Should().Be(successor.GetProperty("id").GetString());
        (await school.Owner.PostAsync($"{project.Path}/keys/{id}/rotate")).ShouldBeProblem(HttpStatusCode.Conflict, "api_key.rotated");
    }

    [Fact]
    public async Task Twenty_regenerations_at_once_leave_one_living_chain()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => school.Owner.PostAsync($"{project.Path}/regenerate-keys", new { overlap_hours = 0 })));

        answers.Should().OnlyContain(answer => answer.Status == HttpStatusCode.OK);
        (await api.QueryAsync<long>("SELECT count(*) FROM api_keys WHERE project_id = $1 AND replaced_by IS NULL", project.Id)).Should().Be(2);
        var working = 0;
        foreach (var answer in answers)
        {
            working += (await api.GetWithKeyAsync(project.Path, answer["pulse_api_secret"])).Status == HttpStatusCode.OK ? 1 : 0;
        }

        working.Should().Be(1);
    }

    [Fact]
    public async Task A_key_hands_out_nothing_that_it_does_not_have()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var narrow = await KeyAsync(new { name = "Narrow", scopes = new[] { "keys:write" } });
        var brief = await KeyAsync(new { name = "Brief", scopes = new[] { "*" }, expires_at = api.Clock.GetUtcNow().AddHours(1) });
        var fenced = await KeyAsync(new { name = "Fenced", scopes = new[] { "*" }, allowed_cidrs = new[] { "127.0.0.1" } });
        var test = await KeyAsync(new { name = "Test", scopes = new[] { "*" }, environment = "test" });

        foreach (var key in new[] { narrow, brief, fenced, test })
        {
            (await api.WithKeyAsync(HttpMethod.Post, $"{project.Path}/regenerate-keys", key["key"])).ShouldBeProblem(HttpStatusCode.Forbidden, "api_key.beyond_own");
            (await api.WithKeyAsync(HttpMethod.Post, $"{project.Path}/keys/{key.Body.GetProperty("api_key").GetProperty("id")}/rotate", key["key"]))
                .Status.Should().Be(HttpStatusCode.Created, "itself a key may replace");
        }

        async Task<Answer> KeyAsync(object body) => await school.Owner.PostAsync($"{project.Path}/keys", body);
    }

    [Fact]
    public async Task A_key_that_is_bound_to_networks_works_from_there_only()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var (here, elsewhere) = (await KeyAsync("127.0.0.0/8", "::1"), await KeyAsync("192.0.2.0/24"));

        (await api.GetWithKeyAsync(project.Path, here)).Status.Should().Be(HttpStatusCode.OK);
        (await api.GetWithKeyAsync(project.Path, elsewhere)).Status.Should().BeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden);
        (await api.GetWithKeyAsync(project.Path, elsewhere)).Error.Should().Be("api_key.address_not_allowed");
        (await api.SendAsync(HttpMethod.Get, project.Path, null, null, ("X-API-Key", elsewhere), ("X-Forwarded-For", "192.0.2.7")))
            .Error.Should().Be("api_key.address_not_allowed", "anybody can write that header");

        async Task<string> KeyAsync(params string[] networks) =>
            (await school.Owner.PostAsync($"{project.Path}/keys", new { name = "Fenced", scopes = new[] { "project:read" }, allowed_cidrs = networks }))["key"];
    }

    [Theory]
    [InlineData("scopes", """{"name":"abc"}""")]
    [InlineData("scopes", """{"name":"abc","scopes":[]}""")]
    [InlineData("scopes", """{"name":"abc","scopes":["project:destroy"]}""")]
    [InlineData("scopes", """{"name":"abc","scopes":[null]}""")]
    [InlineData("allowed_cidrs", """{"name":"abc","scopes":["*"],"allowed_cidrs":["300.0.0.0/8"]}""")]
    [InlineData("allowed_cidrs", """{"name":"abc","scopes":["*"],"allowed_cidrs":[null]}""")]
    [InlineData("allowed_cidrs", """{"name":"abc","scopes":["*"],"allowed_cidrs":["1"]}""")]
    [InlineData("allowed_cidrs", """{"name":"abc","scopes":["*"],"allowed_cidrs":["fe80::1%1"]}""")]
    [InlineData("expires_at", """{"name":"abc","scopes":["*"],"expires_at":"2001-01-01T00:00:00Z"}""")]
    [InlineData("expires_at", """{"name":"abc","scopes":["*"],"expires_at":"tomorrow"}""")]
    [InlineData("environment", """{"name":"abc","scopes":["*"],"environment":"staging"}""")]
    [InlineData("kind", """{"name":"abc","scopes":["*"],"kind":"master"}""")]
    [InlineData("role", """{"name":"abc","scopes":["*"],"role":"king"}""")]
    [InlineData("name", """{"name":"","scopes":["*"]}""")]
    public async Task What_cannot_be_a_key_is_refused_with_the_field(string field, string body)
    {
        var school = await api.FoundSchoolAsync();
        var answer = await school.Owner.PostAsync($"{(await school.CreateProjectAsync()).Path}/keys", body);

        answer.Status.Should().Be(HttpStatusCode.BadRequest);
        answer.Body.GetProperty("errors").TryGetProperty(field, out _).Should().BeTrue(answer.Text);
    }

    [Fact]
    public async Task An_older_key_is_brought_along_once_and_works_as_before()
    {
        var school = await api.FoundSchoolAsync();
        var (project, other) = (await school.CreateProjectAsync(), await school.CreateProjectAsync("Other"));
        var (key, secret) = ($"pulse_key_{Guid.NewGuid():N}", $"pulse_secret_{Guid.NewGuid():N}{Guid.NewGuid():N}");
        foreach (var text in new[] { key, secret })
        {
            var imported = await school.Owner.PostAsync($"{project.Path}/keys/import", new { key = text, name = "Old one", scopes = new[] { "*" } });
            imported.Status.Should().Be(HttpStatusCode.Created, imported.Text);
            imported.Text.Should().NotContain(text);
        }

        (await api.GetWithKeyAsync(project.Path, key)).Status.Should().Be(HttpStatusCode.OK);
        (await api.SendAsync(HttpMethod.Post, $"{project.Path}/regenerate-keys", null, null, ("X-Pulse-Key", key), ("X-Pulse-Secret", secret)))
            .Status.Should().Be(HttpStatusCode.OK);
        (await school.Owner.PostAsync($"{other.Path}/keys/import", new { key, name = "Again", scopes = new[] { "*" } })).ShouldBeProblem(HttpStatusCode.Conflict, "api_key.taken");
        (await school.Owner.PostAsync($"{other.Path}/keys/import", new { key = "hunter2", name = "Bad", scopes = new[] { "*" } }))
            .ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "key");
    }

    [Fact]
    public async Task When_a_key_was_last_used_is_written_down()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        await api.GetWithKeyAsync(project.Path, project.Secret);

        await api.Service<KeyUses>().WriteAsync(CancellationToken.None);

        (await school.Owner.GetAsync($"{project.Path}/keys")).Data().Select(key => (key!["kind"]!.GetValue<string>(), key["last_used_at"] is not null))
            .Should().BeEquivalentTo(new[] { ("secret", true), ("publishable", false) });
    }

    [Fact]
    public async Task A_key_whose_networks_cannot_be_read_works_from_nowhere_and_hides_no_other()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        (await api.GetWithKeyAsync(project.Path, project.Secret)).Status.Should().Be(HttpStatusCode.OK);

        await api.QueryAsync<int>("UPDATE api_keys SET allowed_cidrs = '{nonsense}' WHERE project_id = $1 AND kind = 'secret'", project.Id);

        await VtpApi.UntilAsync(async () => (await api.GetWithKeyAsync(project.Path, project.Secret)).Status == HttpStatusCode.Unauthorized, "the key to be refused");
        (await api.GetWithKeyAsync(project.Path, project.Key)).Status.Should().Be(HttpStatusCode.OK);
        string.Join('\n', api.Log).Should().NotContain("Changed API keys could not be read");
    }

    [Fact]
    public async Task A_known_key_costs_no_query()
    {
        var project = await (await api.FoundSchoolAsync()).CreateProjectAsync();
        var keys = api.Service<KnownKeys>();
        var hash = KeyHash.Of(ApiKeyText.Hash(project.Secret));
        await api.GetWithKeyAsync(project.Path, project.Secret);

        // What is in memory is believed while changes are read in time, which a busy machine now and then delays.
        KnownKey? found = null;
        await VtpApi.UntilAsync(
            async () =>
            {
                var finding = keys.FindAsync(hash, CancellationToken.None);
                var isFromMemory = finding.IsCompletedSuccessfully;
                found = await finding;
                return isFromMemory;
            },
            "an answer from memory, in the caller's own thread");
        found!.Caller.ProjectId.Value.Should().Be(project.Id);
    }
}

/// <summary>Two servers on one database.</summary>
public sealed class RevocationTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task A_revoked_key_and_one_of_a_deleted_project_stop_on_every_node_within_two_seconds()
    {
        await using var other = await SecondNode.BesideAsync(api);
        var school = await api.FoundSchoolAsync();
        foreach (var end in new Func<SchoolProject, Task>[] { RevokeAsync, project => school.Owner.DeleteAsync(project.Path) })
        {
            var project = await school.CreateProjectAsync();
            (await other.GetWithKeyAsync(project.Path, project.Secret)).Status.Should().Be(HttpStatusCode.OK, "both nodes know it");
            (await api.GetWithKeyAsync(project.Path, project.Secret)).Status.Should().Be(HttpStatusCode.OK);

            await end(project);
            var ended = Stopwatch.GetTimestamp();

            (await api.GetWithKeyAsync(project.Path, project.Secret)).Status.Should().Be(HttpStatusCode.Unauthorized, "at once where it was ended");
            await VtpApi.UntilAsync(
                async () => (await other.GetWithKeyAsync(project.Path, project.Secret)).Status == HttpStatusCode.Unauthorized, "the other node to refuse it");
            Stopwatch.GetElapsedTime(ended).Should().BeLessThan(TimeSpan.FromSeconds(2));
        }

        async Task RevokeAsync(SchoolProject project)
        {
            foreach (var key in (await school.Owner.GetAsync($"{project.Path}/keys")).Data())
            {
                (await school.Owner.DeleteAsync($"{project.Path}/keys/{key!["id"]}")).Status.Should().Be(HttpStatusCode.NoContent);
            }
        }
    }

    [Fact]
    public async Task A_key_that_was_refused_works_on_every_node_once_it_exists()
    {
        await using var other = await SecondNode.BesideAsync(api);
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var old = $"pulse_key_{Guid.NewGuid():N}";
        (await other.GetWithKeyAsync(project.Path, old)).Status.Should().Be(HttpStatusCode.Unauthorized);

        await school.Owner.PostAsync($"{project.Path}/keys/import", new { key = old, name = "Late", scopes = new[] { "*" } });

        await VtpApi.UntilAsync(async () => (await other.GetWithKeyAsync(project.Path, old)).Status == HttpStatusCode.OK, "the other node to take it");
    }
}
