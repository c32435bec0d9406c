using System.Net;
using System.Text.Json;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Realtime;

/// <summary>The dashboard by requests and by Socket.IO: who sees what, what is refused, and what is told by itself.</summary>
public sealed class DashboardTests(LiveApi api, SocketClients clients) : IClassFixture<LiveApi>, IClassFixture<SocketClients>
{
    private const string Base = "/api/dashboard/realtime";

    [Fact]
    public async Task Administrators_see_the_installation_managers_their_organization_and_others_nothing()
    {
        var (student, school, admin) = (await api.RegisterAsync(), await api.FoundSchoolAsync(), await api.RegisterAdministratorAsync());
        var viewer = await school.JoinAsync("Viewer");
        foreach (var path in new[] { "metrics", "websocket-info", "alerts" })
        {
            (await api.GetAsync($"{Base}/{path}")).ShouldBeProblem(HttpStatusCode.Unauthorized, "auth.required");
            (await student.GetAsync($"{Base}/{path}")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
            (await viewer.GetAsync($"{Base}/{path}?org_id={school.Id}")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
            (await admin.GetAsync($"{Base}/{path}?org_id={school.Id}")).Status.Should().Be(HttpStatusCode.NotFound, "being an administrator opens no organization");
            foreach (var person in new[] { school.Owner, admin })
            {
                var answer = await person.GetAsync($"{Base}/{path}");
                answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
                answer.Body.GetProperty("success").GetBoolean().Should().BeTrue();
            }
        }

        (await school.Owner.GetAsync($"{Base}/status")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
        (await school.Owner.PostAsync($"{Base}/broadcast/analytics", new { type = "x", data = new { } })).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
        await school.Owner.FoundAsync("Another school");
        var which = await school.Owner.GetAsync($"{Base}/metrics");
        which.ShouldBeProblem(HttpStatusCode.BadRequest, "dashboard.organization_needed");
        which.Body.GetProperty("errors").TryGetProperty("org_id", out _).Should().BeTrue();

        await VtpApi.UntilAsync(
            async () => (await admin.GetAsync($"{Base}/metrics")).Body.GetProperty("data").GetProperty("current").GetProperty("activeUsers").GetInt32() >= 4, "four people to be active");
        var current = (await admin.GetAsync($"{Base}/metrics")).Body.GetProperty("data").GetProperty("current");
        current.GetProperty("goalCompletions").ValueKind.Should().Be(JsonValueKind.Null);
        current.GetProperty("systemHealth").GetProperty("memory").GetProperty("used").GetInt64().Should().BePositive();
        JsonElement ofSchool = default;
        await VtpApi.UntilAsync(
            async () =>
            {
                ofSchool = (await school.Owner.GetAsync($"{Base}/metrics?org_id={school.Id}")).Body.GetProperty("data");
                return ofSchool.GetProperty("current").GetProperty("activeUsers").GetInt32() == 2;
            },
            "the two members to be active");
        ofSchool.GetProperty("current").GetProperty("systemHealth").GetProperty("memory").ValueKind.Should().Be(JsonValueKind.Null);
        ofSchool.GetProperty("recent").GetProperty("userActivity").EnumerateArray().Should().NotBeEmpty()
            .And.OnlyContain(one => one.GetProperty("details").GetProperty("organizationId").GetGuid() == school.Id);
        ofSchool.GetRawText().Should().NotContain("@", "no address is told");
        var status = (await admin.GetAsync($"{Base}/status")).Body.GetProperty("data");
        status.GetProperty("services").GetProperty("database").GetProperty("status").GetString().Should().Be("healthy");
        status.GetProperty("services").GetProperty("redis").GetProperty("status").GetString().Should().Be("not_configured");
    }

    [Fact]
    public async Task What_is_sent_is_checked_field_by_field()
    {
        var admin = await api.RegisterAdministratorAsync();
        foreach (var (path, body, field) in new (string, object, string)[]
        {
            ("analytics", new { type = "", data = new { } }, "type"),
            ("analytics", new { type = "x", data = (object?)null }, "data"),
            ("analytics", new { type = "<script>alert(1)</script>", data = new { } }, "type"),
            ("analytics", new { type = "x", data = new string('x', 20_000) }, "data"),
            ("analytics", new { type = "x", data = 1, metadata = "text" }, "metadata"),
            ("user-activity", new { action = "x" }, "user_id"),
            ("user-activity", new { userId = Guid.NewGuid(), action = "<b>" }, "action"),
            ("system-alert", new { level = "error", message = "", source = "x" }, "message"),
            ("system-alert", new { level = "error", message = "x", source = "<script>" }, "source"),
            ("system-alert", new { message = "x", source = "x" }, "level"),
            ("system-alert", new { level = "loud", message = "x", source = "x" }, "level"),
        })
        {
            var answer = await admin.PostAsync($"{Base}/broadcast/{path}", body);
            answer.Status.Should().Be(HttpStatusCode.BadRequest, $"{path} {field}: {answer.Text}");
            answer.Body.GetProperty("errors").TryGetProperty(field, out _).Should().BeTrue($"{path} {field}: {answer.Text}");
        }

        (await admin.PostAsync($"{Base}/broadcast/system-alert", new { level = "error", message = "x", source = "x", org_id = Guid.NewGuid() })).Status.Should().Be(HttpStatusCode.NotFound);
        (await admin.PostAsync($"{Base}/sse/pong", new { })).Status.Should().Be(HttpStatusCode.BadRequest);
        (await admin.PostAsync($"{Base}/sse/pong", new { clientId = "unknown" })).Status.Should().Be(HttpStatusCode.OK);
        (await admin.PostAsync($"{Base}/sse/filters", new { clientId = "unknown", filters = new { } })).Status.Should().Be(HttpStatusCode.OK);
        (await admin.PostAsync($"{Base}/sse/filters", new { clientId = "unknown", filters = new { colour = 1 } })).Body.GetProperty("errors").TryGetProperty("filters.colour", out _).Should().BeTrue();
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(number => admin.PostAsync($"{Base}/broadcast/analytics", new { type = "parallel", data = number + 1 })));
        answers.Should().OnlyContain(answer => answer.Status == HttpStatusCode.OK);
        var test = (await admin.PostAsync($"{Base}/test")).Body.GetProperty("testMessage");
        test.GetProperty("type").GetString().Should().Be("connectivity_test");
        test.GetProperty("data").GetProperty("initiatedBy").GetGuid().Should().Be(admin.UserId);
    }

    [Fact]
    public async Task Fifty_who_ask_for_numbers_at_once_are_answered_with_the_same()
    {
        var admin = await api.RegisterAdministratorAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => admin.GetAsync($"{Base}/metrics")));
        answers.Should().OnlyContain(answer => answer.Status == HttpStatusCode.OK);
        answers.Select(answer => answer.Body.GetProperty("data").GetProperty("current").GetProperty("timestamp").GetString()).Distinct(StringComparer.Ordinal).Count()
            .Should().BeLessThan(10, "they are counted once in four seconds");
    }

    [Fact]
    public async Task Alerts_are_kept_and_listed_for_whom_they_are()
    {
        var (admin, school, other) = (await api.RegisterAdministratorAsync(), await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        await using var stream = await StreamClient.OpenAsync(api, school.Owner);
        await admin.PostAsync($"{Base}/broadcast/system-alert", new { level = "critical", message = "Yours", source = "tests", org_id = school.Id, metadata = new { room = 5 } });
        for (var number = 0; number < 3; number++)
        {
            await admin.PostAsync($"{Base}/broadcast/system-alert", new { level = "info", message = $"All {number}", source = "listed" });
        }

        await api.QueryAsync<int>(
            "INSERT INTO system_alerts (id, rule, node, threshold, value, raised_at, checked_at, resolved_at) VALUES ($1, 'heap_mb', 'tests', 500, 600, now(), now(), now())",
            Vtp.Domain.Common.Uuid.NewVersion7(api.Clock.GetUtcNow()));

        var told = (await stream.WaitAsync("system_alert")).Data;
        told.GetProperty("message").GetString().Should().Be("Yours");
        told.GetProperty("metadata").GetProperty("room").GetInt32().Should().Be(5);
        var listed = (await school.Owner.GetAsync($"{Base}/alerts")).Body.GetProperty("data").EnumerateArray().Single();
        listed.GetProperty("id").GetGuid().Should().Be(told.GetProperty("id").GetGuid());
        listed.GetProperty("metadata").GetProperty("triggeredBy").GetGuid().Should().Be(admin.UserId);
        (await other.Owner.GetAsync($"{Base}/alerts")).Body.GetProperty("data").GetArrayLength().Should().Be(0);

        var found = new List<JsonElement>();
        for (var cursor = ""; ;)
        {
            var page = (await admin.GetAsync($"{Base}/alerts?limit=2{cursor}")).Body;
            found.AddRange(page.GetProperty("data").EnumerateArray());
            if (page.GetProperty("next_cursor").GetString() is not { } next)
            {
                break;
            }

            cursor = $"&cursor={next}";
        }

        found.Select(alert => alert.GetProperty("id").GetString()).Should().OnlyHaveUniqueItems();
        found.First(alert => alert.GetProperty("source").GetString() == "tests").GetProperty("message").GetString().Should().Contain("600, where 500 is the bound");
        found.Where(alert => alert.GetProperty("source").GetString() == "listed").Select(alert => alert.GetProperty("message").GetString()).Should().Equal("All 2", "All 1", "All 0");
        (await admin.GetAsync($"{Base}/alerts?level=critical")).Body.GetProperty("data").GetArrayLength().Should().Be(0, "that one is the school's");
    }

    [Fact]
    public async Task What_the_trail_records_is_told_to_those_whom_it_concerns()
    {
        var (admin, school, other) = (await api.RegisterAdministratorAsync(), await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        await using var ofAll = await StreamClient.OpenAsync(api, admin);
        await using var ofSchool = await StreamClient.OpenAsync(api, school.Owner);
        await using var ofOther = await StreamClient.OpenAsync(api, other.Owner);
        var project = await school.CreateProjectAsync("Seen");
        await (await api.RegisterAsync()).SignInAgainAsync();

        var told = (await ofSchool.WaitAsync("user_activity", data => data.GetProperty("action").GetString() == "project.created")).Data;
        told.GetProperty("userId").GetGuid().Should().Be(school.Owner.UserId);
        told.GetProperty("name").GetString().Should().Be("Noor Example");
        told.GetProperty("details").GetProperty("resourceId").GetGuid().Should().Be(project.Id);
        (await ofAll.WaitAsync("user_activity", data => data.GetProperty("action").GetString() == "project.created")).Data.GetRawText().Should().NotContain("@");
        await ofAll.WaitAsync("user_activity", data => data.GetProperty("action").GetString() == "session.started");
        ofSchool.Events.Should().NotContain(one => one.Name == "user_activity" && one.Data.GetProperty("action").GetString() == "session.started");
        ofOther.Events.Should().NotContain(one => one.Name == "user_activity" && one.Data.GetProperty("userId").GetGuid() != other.Owner.UserId);
    }

    [Fact]
    public async Task Clients_of_Socket_IO_watch_subscribe_filter_and_come_back()
    {
        await using var other = await LiveApi.BesideAsync(api);
        var (admin, student, school) = (await api.RegisterAdministratorAsync(), await api.RegisterAsync(), await api.FoundSchoolAsync());
        var refused = clients.Open(api, "/dashboard", auth: new { token = student.AccessToken });
        (await refused.WaitAsync("connect_error"))[0]!["data"]!["error"]!.GetValue<string>().Should().Be("auth.forbidden");
        refused.Close();

        var client = clients.Open(api, "/dashboard", auth: new { token = admin.AccessToken });
        var initial = (await client.WaitAsync("dashboard_data"))[0]!;
        initial["type"]!.GetValue<string>().Should().Be("initial_load");
        initial["data"]!["metrics"]!["systemHealth"]!["status"]!.GetValue<string>().Should().BeOneOf("healthy", "degraded");
        initial["data"]!["recentActivity"]!.AsArray().Should().NotBeEmpty();
        client.Emit("ping");
        (await client.WaitAsync("pong"))[0]!["timestamp"]!.GetValue<long>().Should().BePositive();
        client.Emit("activity", new { page = "home" });
        (await client.AskAsync("subscribe", new { streams = new[] { "analytics_updates", "admin_dashboard" } }))[0]!["streams"]!.AsArray().Count.Should().Be(2);
        foreach (var nonsense in new object?[] { null, new { streams = (object?)null }, new { streams = new[] { "unknown" } }, new { streams = new object?[] { null } } })
        {
            (await client.AskAsync("subscribe", nonsense))[0]!["error"]!.GetValue<string>().Should().Be("dashboard.stream_unknown");
        }

        (await client.AskAsync("filter_change", new { colour = "red" }))[0]!["errors"]!["filters.colour"].Should().NotBeNull();
        (await client.AskAsync("filter_change", new { types = new[] { "count" } }))[0]!["filters"]!["types"]![0]!.GetValue<string>().Should().Be("count");
        var before = client.All("analytics_update").Count;
        await admin.PostAsync($"{Base}/broadcast/analytics", new { type = "hidden", data = 1 });
        await admin.PostAsync($"{Base}/broadcast/system-alert", new { level = "warning", message = "Heard", source = "tests" });
        await admin.PostAsync($"{Base}/broadcast/analytics", new { type = "count", data = 1 });
        await client.WaitAsync("system_alert");
        await client.WaitAsync("analytics_update", before + 1);

        client.Move(other);
        client.Cut();
        await client.WaitAsync("disconnect");
        await admin.PostAsync($"{Base}/broadcast/analytics", new { type = "hidden", data = 2 });
        await admin.PostAsync($"{Base}/broadcast/analytics", new { type = "count", data = 2 });
        await client.WaitAsync("analytics_update", before + 2);
        (await client.WaitAsync("connect", 2))[0]!["recovered"]!.GetValue<bool>().Should().BeTrue();
        client.All("analytics_update").Skip(before).Select(arguments => arguments[0]!["type"]!.GetValue<string>()).Should().OnlyContain(type => type == "count", "filters go with it to the other node");
        client.All("dashboard_data").Should().ContainSingle();
        client.Close();

        var manager = clients.Open(api, "/dashboard", auth: new { token = school.Owner.AccessToken, org_id = school.Id });
        await manager.WaitAsync("dashboard_data");
        (await manager.AskAsync("subscribe", new { streams = new[] { "admin_dashboard" } }))[0]!["error"]!.GetValue<string>().Should().Be("auth.forbidden");
        await school.CreateProjectAsync("Told");
        (await manager.WaitAsync("user_activity"))[0]!["userId"]!.GetValue<string>().Should().Be(school.Owner.UserId.ToString());
        var others = new[] { clients.Open(api, "/dashboard", auth: new { token = school.Owner.AccessToken }), clients.Open(api, "/dashboard", auth: new { token = school.Owner.AccessToken }) };
        foreach (var one in others)
        {
            await one.WaitAsync("dashboard_data");
        }

        var fourth = clients.Open(other, "/dashboard", auth: new { token = school.Owner.AccessToken });
        (await fourth.WaitAsync("connect_error"))[0]!["data"]!["error"]!.GetValue<string>().Should().Be("dashboard.too_many_sockets");
        await school.Owner.PostAsync("auth/logout");
        await manager.WaitAsync("disconnect");
        foreach (var one in others.Append(manager).Append(fourth))
        {
            one.Close();
        }
    }
}
