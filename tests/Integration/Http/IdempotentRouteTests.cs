using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Vtp.Api.Http;
using Vtp.Integration.Console;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Http;

/// <summary>Whatever creates or spends something can be repeated safely, on every route of the running server.</summary>
public sealed class IdempotentRouteTests(VtpApi api) : IClassFixture<VtpApi>
{
    /// <summary>Posts that take no Idempotency-Key, and why.</summary>
    private static readonly Dictionary<string, string> NotIdempotent = new(StringComparer.Ordinal)
    {
        ["DisableUser"] = "Twice is as good as once.",
        ["EnableUser"] = "Twice is as good as once.",
        ["RotateSigningKey"] = "A key more does no harm.",
        ["RotateAuditKey"] = "A key more does no harm.",
        ["RestoreOrganization"] = "Twice is as good as once.",
        ["RestoreProject"] = "Twice is as good as once.",
        ["LeaveOrganization"] = "Who has left is told so.",
        ["SetUpTwoFactor"] = "Another set-up replaces the one before.",
        ["EnableTwoFactor"] = "Its backup codes are shown once; who missed them makes new ones.",
        ["DisableTwoFactor"] = "Twice is as good as once.",
        ["RegenerateBackupCodes"] = "They are shown once; who missed them makes new ones.",
        ["VerifyTwoFactor"] = "Signs in: a kept answer would be a session for whoever sends the code a second time.",
        ["SignIn"] = "Signs in: another session is what a repeat asks for.",
        ["SignInWithEmailCode"] = "Signs in: a kept answer would be a session for whoever sends the code a second time.",
        ["RefreshSession"] = "A refresh token that comes twice is how theft is noticed.",
        ["SignOut"] = "Twice is as good as once.",
        ["SignOutEverywhere"] = "Twice is as good as once.",
        ["ChangePassword"] = "Creates nothing.",
        ["VerifyEmail"] = "Twice is as good as once.",
        ["ResendVerification"] = "Limited by address: a mail more does no harm.",
        ["RequestPasswordReset"] = "Limited by address: a mail more does no harm.",
        ["RequestEmailCode"] = "Limited by address: a mail more does no harm.",
        ["VerifyResetToken"] = "Reads.",
        ["ResetPassword"] = "Its token is spent once, and who has set the password knows it.",
        ["PauseJobKind"] = "Twice is as good as once.",
        ["ResumeJobKind"] = "Twice is as good as once.",
        ["ReplayJobs"] = "What has been replayed is dead no more; a repeat takes what is left.",
        ["InvalidateCache"] = "Twice is as good as once.",
        ["WarmCache"] = "Twice is as good as once.",
        ["VerifyInvitation"] = "Reads.",
        ["EnableWebhook"] = "Twice is as good as once.",
        ["TestWebhook"] = "Limited by account: a test more does no harm.",
        ["RetryDelivery"] = "Under its own id: the receiver knows a repeat.",
        ["ReceiveLiveKitEvent"] = "Each event has an id of its own.",
        ["RetryJob"] = "Twice is as good as once.",
        ["DeleteJob"] = "Twice is as good as once.",
        ["RunSchedule"] = "A run more does no harm.",
        ["StartRoomRecording"] = "A room is recorded once at a time: a repeat is told so.",
        ["StopRoomRecording"] = "Twice is as good as once.",
        ["PauseSchedule"] = "Twice is as good as once.",
        ["IssueRealtimeTicket"] = "Another ticket is what a repeat asks for; each is good once.",
        ["TakeProfile"] = "Reads.",
        ["OptimizePerformance"] = "Twice is as good as once.",
        ["ResumeSchedule"] = "Twice is as good as once.",
        ["LogInPeer"] = "Another token is what a repeat asks for.",
        ["RegisterPeer"] = "Twice is as good as once.",
        ["SendHeartbeat"] = "Twice is as good as once.",
        ["AnnounceFile"] = "Twice is as good as once.",
        ["AnswerStreamPing"] = "Changes nothing.",
        ["SetStreamFilters"] = "Twice is as good as once.",
        ["BroadcastAnalytics"] = "What is told again is what was asked for.",
        ["BroadcastUserActivity"] = "What is told again is what was asked for.",
        ["BroadcastSystemAlert"] = "An alert more is better than one less.",
        ["SendTestMessage"] = "A test more does no harm.",
        ["ReportTraffic"] = "Peers of the field know no such key; a report more makes a peer look busier than it is, and no worse.",
    };

    private IEnumerable<(string Name, bool IsIdempotent, bool Creates)> Posts =>
        from endpoint in api.Service<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let useCase = endpoint.Metadata.GetMetadata<UseCaseMetadata>()
        where useCase is not null && endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Contains("POST", StringComparer.Ordinal)
        select (useCase.Name, useCase.IsIdempotent,
            endpoint.Metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>().Any(answer => answer.StatusCode == StatusCodes.Status201Created));

    [Fact]
    public void Every_post_takes_an_idempotency_key_or_has_a_reason_not_to()
    {
        var posts = Posts.ToList();

        posts.Should().HaveCountGreaterThan(35);
        posts.Where(post => post.Creates).Should().HaveCountGreaterThan(9).And.OnlyContain(post => post.IsIdempotent);
        posts.Where(post => !post.IsIdempotent).Select(post => post.Name).Distinct(StringComparer.Ordinal).Should().BeEquivalentTo(NotIdempotent.Keys);
    }

    [Fact]
    public async Task Every_repeat_gets_the_first_answer_and_every_other_request_under_its_key_422()
    {
        var tried = new HashSet<string>(StringComparer.Ordinal);
        var setup = await api.SetupTokenAsync();
        await TryAsync(("CreateFirstAdministrator", ["setup"], null, Administrator("First"), Administrator("Other")));
        foreach (var attempt in await TriesAsync())
        {
            await TryAsync(attempt);
        }

        tried.Should().BeEquivalentTo(Posts.Where(post => post.IsIdempotent).Select(post => post.Name).Distinct(StringComparer.Ordinal));

        object Administrator(string name) => new { token = setup, email = Intents.NewAddress(), full_name = name, password = Intents.GoodPassword };

        async Task TryAsync((string Name, string[] Path, string? Token, object? Body, object? Other) attempt)
        {
            var (name, path, token, body, other) = attempt;
            tried.Add(name);
            var first = await SendAsync(path[0], token, body, name);
            ((int)first.Status).Should().BeOneOf([200, 201], $"{name}: {first.Text}");

            var again = await SendAsync(path[0], token, body, name);
            var different = await SendAsync(path[^1], token, other, name);

            (again.Status, again.Text, again.Headers.Location).Should().Be((first.Status, first.Text, first.Headers.Location), name);
            different.ShouldBeProblem(HttpStatusCode.UnprocessableEntity, "idempotency.key_reused");
        }
    }

    [Fact]
    public async Task Who_knows_the_key_of_a_registration_but_not_its_password_gets_nothing_and_nothing_kept_opens_without_it()
    {
        var email = Intents.NewAddress();
        var first = await RegisterAsync(Intents.GoodPassword);
        first.Status.Should().Be(HttpStatusCode.Created, first.Text);

        (await RegisterAsync("another good password")).ShouldBeProblem(HttpStatusCode.UnprocessableEntity, "idempotency.key_reused");
        (await RegisterAsync(Intents.GoodPassword)).Text.Should().Be(first.Text);
        (await api.QueryAsync<long>("SELECT count(*) FROM accounts WHERE email = $1", email)).Should().Be(1);

        // As somebody opens it who has copied the database, the keys of what is sealed included.
        var sealer = api.Service<Infrastructure.Secrets.SecretSealer>();
        var kept = sealer.Open((await api.QueryAsync<byte[]>("SELECT answer FROM idempotency_keys ORDER BY answered_at DESC LIMIT 1"))!);
        Encoding.UTF8.GetString(kept).Should().NotContain(email).And.NotContain(first["refresh_token"]);

        Task<Answer> RegisterAsync(string password) =>
            SendAsync("auth/register", token: null, new { email, password, full_name = "Noor Example", role = "student" }, "guessed");
    }

    private Task<Answer> SendAsync(string path, string? token, object? body, string key)
    {
        if (body is not byte[] archive)
        {
            return api.SendAsync(HttpMethod.Post, path, body, token, ("Idempotency-Key", key));
        }

        return SendArchiveAsync(path, token!, archive, key);
    }

    private async Task<Answer> SendArchiveAsync(string path, string token, byte[] archive, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}") { Content = new ByteArrayContent(archive) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/zip");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Add("Idempotency-Key", key);
        return await api.SendAsync(request);
    }

    /// <summary>A request for each, and another one: another body or, where there is none, another path.</summary>
    private async Task<List<(string Name, string[] Path, string? Token, object? Body, object? Other)>> TriesAsync()
    {
        var elsewhere = new VtpApi();
        await elsewhere.InitializeAsync();
        try
        {
            var (foreign, other) = (await elsewhere.FoundSchoolAsync(), await elsewhere.FoundSchoolAsync());
            var organization = await foreign.Owner.ExportAsync("organizations", foreign.Id);
            var project = await other.Owner.ExportAsync("projects", (await other.CreateProjectAsync()).Id);
            var school = await api.FoundSchoolAsync();
            var (owner, one, two) = (school.Owner.AccessToken, await school.CreateProjectAsync(), await school.CreateProjectAsync());
            var key = (await school.Owner.PostAsync($"{one.Path}/keys", new { name = "Rotated", scopes = new[] { "*" } })).Body.GetProperty("api_key").GetProperty("id").GetGuid();
            var second = await school.Owner.FoundAsync();
            var webhook = await WebhookAsync();
            var (invited, joining) = (await api.RegisterAsync(), Intents.NewAddress());
            var (pending, waiting) = (await InvitationAsync(Intents.NewAddress()), await InvitationAsync(Intents.NewAddress()));
            await school.InviteAsync(invited.Email);
            await school.InviteAsync(joining);
            var (accept, join) = (await api.TokenFromMailAsync(invited.Email, "invited"), await api.TokenFromMailAsync(joining, "invited"));
            var admin = (await api.RegisterAdministratorAsync()).AccessToken;
            return
            [
                Try("RegisterAccount", "auth/register", null, Person(Intents.NewAddress()), Person(Intents.NewAddress())),
                Try("CreateUser", "admin/users", admin, Person(Intents.NewAddress()), Person(Intents.NewAddress())),
                Try("CreateOrganization", "organizations", owner, Organization("One"), Organization("Other")),
                Try("InviteMember", $"{school.Path}/members", owner, Invitation(), Invitation()),
                Try("ResendInvitation", $"{pending}/resend {waiting}/resend", owner, null, null),
                Try("AcceptInvitation", "invitations/accept", invited.AccessToken, new { token = accept }, new { token = join }),
                Try("JoinByInvitation", "invitations/join", null, new { token = join, password = Intents.GoodPassword }, new { token = join, password = "another good password" }),
                Try("CreateProject", $"projects?org_id={school.Id}", owner, new { name = "One", region = "eu-west" }, new { name = "Other", region = "eu-west" }),
                Try("RegenerateProjectKeys", $"{one.Path}/regenerate-keys {two.Path}/regenerate-keys", owner, null, null),
                Try("CreateApiKey", $"{one.Path}/keys", owner, new { name = "One", scopes = new[] { "*" } }, new { name = "Other", scopes = new[] { "*" } }),
                Try("ImportApiKey", $"{one.Path}/keys/import", owner, OldKey(), OldKey()),
                Try("RotateApiKey", $"{one.Path}/keys/{key}/rotate", owner, new { overlap_hours = 24 }, new { overlap_hours = 1 }),
                Try("CreateWebhook", $"{one.Path}/webhooks", owner, new { url = "https://one.example" }, new { url = "https://other.example" }),
                Try("RotateWebhookSecret", $"{webhook}/rotate-secret", owner, new { overlap_hours = 24 }, new { overlap_hours = 1 }),
                Try("ReplayWebhook", $"{webhook}/replay", owner, new { from = api.Clock.GetUtcNow() }, new { from = api.Clock.GetUtcNow().AddDays(-1) }),
                Try("StartOrganizationExport", $"{school.Path}/exports {second.Path}/exports", owner, null, null),
                Try("StartProjectExport", $"{one.Path}/exports {two.Path}/exports", owner, null, null),
                Try("CreateRoom", "signalling/room/create", owner, new { room_id = "one", org_id = school.Id }, new { room_id = "other", org_id = school.Id }),
                Try("ImportOrganization", "organizations/import", admin, organization, project),
                Try("ImportProject", $"projects/import?org_id={school.Id}", owner, project, organization),
            ];

            async Task<string> WebhookAsync() =>
                $"{one.Path}/webhooks/{(await school.Owner.PostAsync($"{one.Path}/webhooks", new { url = "https://hooks.example" })).Body.GetProperty("webhook").GetProperty("id").GetGuid()}";

            async Task<string> InvitationAsync(string address) =>
                $"{school.Path}/invitations/{(await school.InviteAsync(address)).Body.GetProperty("invitation").GetProperty("id").GetGuid()}";
        }
        finally
        {
            await elsewhere.DisposeAsync();
        }

        static (string, string[], string?, object?, object?) Try(string name, string paths, string? token, object? body, object? other) => (name, paths.Split(' '), token, body, other);

        static object Person(string email) => new { email, full_name = "Noor Example", role = "student", password = Intents.GoodPassword };

        static object Organization(string name) => new { name, admin_email = Intents.NewAddress() };

        static object Invitation() => new { email = Intents.NewAddress(), name = "Tariq", role = "Viewer" };

        static object OldKey() => new { name = "Old", scopes = new[] { "*" }, key = $"pulse_key_{Guid.NewGuid():N}" };
    }
}
