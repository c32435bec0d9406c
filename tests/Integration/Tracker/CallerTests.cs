using System.Net;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Tracker;

/// <summary>Who may do what: keys and their roles, tokens, people, and those who show nothing.</summary>
public sealed class CallerTests(TrackerApi api) : IClassFixture<TrackerApi>
{
    private const string Body = """{"peer_id":"some-peer","ip":"","port":6881,"bytes_uploaded":1,"bytes_downloaded":1}""";
    private static readonly string Hash = TestFile.Sha("nothing");

    /// <summary>Each route with the least role that may use it.</summary>
    private static readonly (string Method, string Path, string Least)[] Routes =
    [
        ("GET", "files", "guest"),
        ("GET", "files/search?q=a", "guest"),
        ("GET", $"files/{Hash}/peers", "guest"),
        ("GET", $"files/{Hash}/magnet", "guest"),
        ("GET", $"magnet?uri=magnet%3A%3Fxt%3Durn%3Asha256%3A{Hash}", "guest"),
        ("GET", "categories", "guest"),
        ("GET", "categories/video/files", "guest"),
        ("GET", "peers/top", "guest"),
        ("POST", "peers/register", "peer"),
        ("POST", "peers/heartbeat", "peer"),
        ("POST", "peers/stats", "peer"),
        ("POST", "files/announce", "peer"),
        ("DELETE", "peers/nobody-there", "peer"),
        ("GET", "admin/peers", "admin"),
        ("DELETE", "admin/peers/nobody-there", "admin"),
        ("DELETE", $"admin/files/{Hash}", "admin"),
    ];

    private static readonly string[] Roles = ["guest", "peer", "admin"];

    [Fact]
    public async Task A_route_is_open_from_its_role_on_and_to_nobody_without()
    {
        var school = await SchoolAsync();
        foreach (var (method, path, least) in Routes)
        {
            foreach (var role in Roles)
            {
                var answer = await SendAsync(method, path, key: school.Keys[role]);
                if (Array.IndexOf(Roles, role) < Array.IndexOf(Roles, least))
                {
                    answer.ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
                }
                else
                {
                    ((int)answer.Status).Should().BeOneOf([200, 400, 404], $"{method} {path} as {role}: {answer.Text}");
                }
            }

            // Nobody is a guest of the installation's own swarms; whoever shows something that is not good is nobody.
            var keyless = await SendAsync(method, path);
            ((int)keyless.Status).Should().BeOneOf(least == "guest" ? [200, 404] : [401], keyless.Text);
            (await SendAsync(method, path, key: "not-a-key")).ShouldBeProblem(HttpStatusCode.Unauthorized, "api_key.malformed");
            (await SendAsync(method, path, token: "not-a-token")).ShouldBeProblem(HttpStatusCode.Unauthorized, "auth.required");
            (await SendAsync(method, path, token: "vtpt_AAAA")).ShouldBeProblem(HttpStatusCode.Unauthorized, "tracker.token_rejected");
        }
    }

    [Fact]
    public async Task Swarms_of_two_projects_never_meet()
    {
        var (ours, theirs) = (await SchoolAsync(), await SchoolAsync());
        var file = TestFile.New();
        var (one, other) = (await TestPeer.New(api, ours.Keys["peer"]).RegisteredAsync(), await TestPeer.New(api, theirs.Keys["peer"]).RegisteredAsync());
        await one.SharesAsync(file);

        (await other.GetAsync("files")).Body.GetProperty("total").GetInt32().Should().Be(0);
        (await other.HoldersOfAsync(file)).Should().Equal("file.not_found");
        (await api.ReadAsync($"files/{file.Hash}/peers")).ShouldBeProblem(HttpStatusCode.NotFound, "file.not_found");
        (await api.RemoveAsync($"admin/files/{file.Hash}", theirs.Keys["admin"])).ShouldBeProblem(HttpStatusCode.NotFound, "file.not_found");
        (await api.RemoveAsync($"admin/peers/{one.Id}", theirs.Keys["admin"])).ShouldBeProblem(HttpStatusCode.NotFound, "peer.not_found");

        // The same name there is another peer; the same hash another file, with a content of its own.
        var impostor = await (one with { Key = theirs.Keys["peer"] }).RegisteredAsync();
        (await impostor.LeaveAsync()).Status.Should().Be(HttpStatusCode.OK);
        (await one.HoldersOfAsync(file)).Should().Equal(one.Id);
        (await other.AnnounceAsync(file with { Chunks = [TestFile.Sha("poison"), .. file.Chunks.Skip(1)] })).Status.Should().Be(HttpStatusCode.OK);
        (await one.GetAsync($"files/{file.Hash}/peers")).Body.GetProperty("chunks")[0].GetProperty("hash").GetString().Should().Be(file.Chunks[0]);
    }

    [Fact]
    public async Task A_peer_belongs_to_the_credential_that_registered_it()
    {
        var file = TestFile.New();
        var peer = await (await TestPeer.New(api).RegisteredAsync()).SharesAsync(file);
        var thief = peer with { Key = TrackerApi.OtherPeerKey };

        foreach (var answer in new[] { await thief.RegisterAsync(port: 666), await thief.HeartbeatAsync(), await thief.AnnounceAsync(TestFile.New()), await thief.ReportAsync(1, 0), await thief.LeaveAsync() })
        {
            answer.ShouldBeProblem(HttpStatusCode.Forbidden, "peer.not_yours");
        }

        (await api.ReadAsync($"files/{file.Hash}/peers")).Body.GetProperty("peers")[0].GetProperty("port").GetInt32().Should().Be(6881);
        (await (peer with { Key = TrackerApi.AdminKey }).HeartbeatAsync()).Status.Should().Be(HttpStatusCode.OK, "an administrator may do everything");
    }

    [Fact]
    public async Task A_token_speaks_for_its_peer_alone_and_ends_with_its_key()
    {
        var school = await SchoolAsync();
        var peer = TestPeer.New(api, school.Keys["peer"]);
        var login = await api.SendAsync(HttpMethod.Post, "/api/auth/login", $$"""{"peer_id":"{{peer.Id}}","hostname":"classroom","api_key":"{{peer.Key}}"}""");
        login.Body.EnumerateObject().Select(field => field.Name).Should().Equal("token", "expires_at", "peer_id", "role");
        (login["peer_id"], login["role"], login["expires_at"].Length).Should().Be((peer.Id, "peer", "2026-11-22T16:35:00Z".Length));
        var token = login["token"];

        (await SayAsync("peers/register", $$"""{"peer_id":"{{peer.Id}}","ip":"","port":6881}""")).Status.Should().Be(HttpStatusCode.OK);
        (await SayAsync("peers/heartbeat", $$"""{"peer_id":"{{peer.Id}}"}"""))["registered"].Should().Be("True");
        (await SayAsync("peers/heartbeat", """{"peer_id":"somebody-else"}""")).ShouldBeProblem(HttpStatusCode.Forbidden, "peer.not_yours");
        (await SayAsync("peers/register", """{"peer_id":"somebody-else","ip":"","port":1}""")).ShouldBeProblem(HttpStatusCode.Forbidden, "peer.not_yours");
        (await peer.HeartbeatAsync()).ShouldBeProblem(HttpStatusCode.Forbidden, "peer.not_yours", null);
        (await api.SendAsync(HttpMethod.Post, "/api/auth/login", $$"""{"peer_id":"{{peer.Id}}"}""", null, ("X-API-Key", await school.School.TrackerKeyAsync(school.Project, "peer"))))
            .ShouldBeProblem(HttpStatusCode.Forbidden, "peer.not_yours");

        // It opens the tracker and nothing else.
        (await api.GetAsync("auth/profile", token)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.GetAsync($"projects/{school.Project.Id}", token)).Status.Should().Be(HttpStatusCode.Unauthorized);

        var keys = (await school.School.Owner.GetAsync($"{school.Project.Path}/keys?limit=100")).Data();
        foreach (var key in keys.Where(key => key!["name"]!.GetValue<string>() == "The key of a peer"))
        {
            await school.School.Owner.DeleteAsync($"{school.Project.Path}/keys/{key!["id"]}");
        }

        (await SayAsync("peers/heartbeat", $$"""{"peer_id":"{{peer.Id}}"}""")).ShouldBeProblem(HttpStatusCode.Unauthorized, "tracker.token_rejected");

        Task<Answer> SayAsync(string path, string body) => api.SendAsync(HttpMethod.Post, $"/api/{path}", body, token);
    }

    [Fact]
    public async Task A_token_ends_after_a_day_and_a_bad_key_gets_none()
    {
        var token = (await LogInAsync(TrackerApi.PeerKey))["token"];
        (await SendAsync("GET", "peers/top", token: token)).Status.Should().Be(HttpStatusCode.OK);

        foreach (var key in new[] { "wrong", "", "vtp_pk_live_0000000000000000000000000000000000" })
        {
            (await LogInAsync(key)).Status.Should().Be(HttpStatusCode.Unauthorized);
        }

        api.Clock.Advance(TimeSpan.FromHours(24));
        (await SendAsync("GET", "peers/top", token: token)).ShouldBeProblem(HttpStatusCode.Unauthorized, "tracker.token_rejected");

        Task<Answer> LogInAsync(string key) => api.SendAsync(HttpMethod.Post, "/api/auth/login", $$"""{"peer_id":"some-peer","api_key":"{{key}}"}""");
    }

    [Fact]
    public async Task People_read_and_administer_the_swarms_of_their_projects_as_their_role_there_allows()
    {
        var school = await SchoolAsync();
        var file = TestFile.New();
        var peer = await (await TestPeer.New(api, school.Keys["peer"]).RegisteredAsync()).SharesAsync(file);
        var viewer = await api.RegisterAsync();
        await school.School.AddMemberAsync(viewer, "Viewer");
        var project = $"project_id={school.Project.Id}";

        (await viewer.GetAsync($"/api/files?{project}"))["total"].Should().Be("1");
        (await viewer.GetAsync($"/api/admin/peers?{project}")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
        (await (await api.RegisterAsync()).GetAsync($"/api/files?{project}")).ShouldBeProblem(HttpStatusCode.NotFound, "project.not_found");
        (await school.School.Owner.GetAsync($"/api/admin/peers?{project}"))["count"].Should().Be("1");
        (await api.SendAsync(HttpMethod.Delete, $"/api/admin/peers/{peer.Id}?{project}", null, school.School.Owner.AccessToken)).Status.Should().Be(HttpStatusCode.OK);
        (await viewer.GetAsync("/api/files"))["total"].Should().NotBe("1", "without a project it is the public one");
    }

    [Fact]
    public async Task A_public_project_is_open_to_nobody_while_it_is_deleted()
    {
        var (school, project, _) = await SchoolAsync();
        await using var node = await SecondNode.BesideAsync(api, ("Tracker:PublicProject", project.Id.ToString()));
        (await node.SendAsync(HttpMethod.Get, "/api/files")).Status.Should().Be(HttpStatusCode.OK);

        (await school.Owner.DeleteAsync(project.Path)).Status.Should().Be(HttpStatusCode.OK);
        await VtpApi.UntilAsync(async () => (await node.SendAsync(HttpMethod.Get, "/api/files")).Status == HttpStatusCode.Unauthorized, "the deleted project to be closed");

        (await school.Owner.PostAsync($"{project.Path}/restore")).Status.Should().Be(HttpStatusCode.OK);
        await VtpApi.UntilAsync(async () => (await node.SendAsync(HttpMethod.Get, "/api/files")).Status == HttpStatusCode.OK, "the restored project to be open");
    }

    [Fact]
    public async Task A_configured_key_opens_the_tracker_and_nothing_else()
    {
        (await api.SendAsync(HttpMethod.Get, "/api/v1/events", null, null, ("X-API-Key", TrackerApi.AdminKey))).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.SendAsync(HttpMethod.Get, "/api/v1/auth/profile", null, null, ("X-API-Key", TrackerApi.AdminKey))).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.ReadAsync("files?api_key=" + TrackerApi.PeerKey)).Status.Should().Be(HttpStatusCode.OK);
        (await api.ReadAsync("admin/peers?api_key=" + TrackerApi.AdminKey)).Status.Should().Be(HttpStatusCode.Unauthorized, "a key in an address would stand in logs");
        (await api.SendAsync(HttpMethod.Get, "/api/files", null, "a", ("X-API-Key", TrackerApi.PeerKey))).ShouldBeProblem(HttpStatusCode.Unauthorized, "auth.two_credentials");
    }

    private async Task<(School School, SchoolProject Project, Dictionary<string, string> Keys)> SchoolAsync()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var role in Roles)
        {
            keys[role] = await school.TrackerKeyAsync(project, role);
        }

        return (school, project, keys);
    }

    private Task<Answer> SendAsync(string method, string path, string? key = null, string? token = null) => api.SendAsync(
        new HttpMethod(method), $"/api/{path}", method == "POST" ? Body : null, token, key is null ? [] : [("X-API-Key", key)]);
}
