using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Realtime;

/// <summary>Dashboards as server-sent events: interrupted, narrowed, crowded, revoked.</summary>
public sealed class DashboardStreamTests(LiveApi api) : IClassFixture<LiveApi>
{
    private const string Broadcast = "/api/dashboard/realtime/broadcast";

    [Fact]
    public async Task A_stream_goes_on_at_another_node_without_loss_or_repetition_and_in_order()
    {
        await using var other = await LiveApi.BesideAsync(api);
        var admin = await api.RegisterAdministratorAsync();
        var heard = new List<StreamEvent>();
        string? last = null, clientId = null;
        foreach (var (node, number) in new[] { (api, 0), (other, 10), (api, 20) })
        {
            await using var stream = await StreamClient.OpenAsync(node, admin, lastEventId: last);
            var connected = await stream.WaitAsync("connected");
            connected.Data.GetProperty("recovered").GetBoolean().Should().Be(last is not null);
            clientId ??= stream.ClientId;
            stream.ClientId.Should().Be(clientId);
            stream.Events.Any(one => one.Name == "initial_data").Should().Be(last is null);
            await CountAsync(admin, number, 5);
            await AlertAsync(admin, $"Alert {number}");
            await stream.WaitAsync("analytics_update", data => IsNumber(data, number + 4));
            await stream.WaitAsync("system_alert", data => data.GetProperty("message").GetString() == $"Alert {number}");
            heard.AddRange(stream.Events);
            last = stream.LastEventId;
            await stream.DisposeAsync();
            await CountAsync(admin, number + 5, 5); // While it is away.
        }

        await using var end = await StreamClient.OpenAsync(other, admin, lastEventId: last);
        await end.WaitAsync("analytics_update", data => IsNumber(data, 29));
        heard.AddRange(end.Events);
        heard.Where(one => one.Name == "analytics_update" && one.Data.GetProperty("type").GetString() == "count").Select(one => one.Data.GetProperty("data").GetProperty("number").GetInt32())
            .Should().Equal(Enumerable.Range(0, 30));
        heard.Where(one => one.Name == "system_alert").Select(one => one.Data.GetProperty("message").GetString()).Should().Equal("Alert 0", "Alert 10", "Alert 20");
        heard.Where(one => one.Name is "analytics_update" or "system_alert" or "user_activity").Should().OnlyContain(one => one.Id != null);
    }

    [Fact]
    public async Task Who_was_away_for_too_long_is_told_so_and_shown_everything_anew()
    {
        await using var node = await LiveApi.BesideAsync(api, ("Realtime:HistoryMessages", "5"));
        var admin = await api.RegisterAdministratorAsync();
        string last;
        await using (var stream = await StreamClient.OpenAsync(node, admin))
        {
            await CountAsync(admin, 0, 1);
            last = (await stream.WaitAsync("analytics_update", data => IsNumber(data, 0))).Id!;
        }

        await CountAsync(admin, 1, 8);
        await using var back = await StreamClient.OpenAsync(node, admin, lastEventId: last);
        (await back.WaitAsync("connected")).Data.GetProperty("recovered").GetBoolean().Should().BeFalse();
        (await back.WaitAsync("initial_data")).Data.GetProperty("metrics").GetProperty("activeUsers").GetInt32().Should().BePositive();
        back.Events.Should().Contain(one => one.Name == "recent_update");

        await using var confused = await StreamClient.OpenAsync(node, admin, "?last_event_id=nonsense");
        (await confused.WaitAsync("connected")).Data.GetProperty("recovered").GetBoolean().Should().BeFalse();
    }

    [Fact]
    public async Task Filters_leave_out_what_was_not_asked_for_also_when_another_node_is_asked()
    {
        await using var other = await LiveApi.BesideAsync(api);
        var (admin, someone) = (await api.RegisterAdministratorAsync(), Guid.NewGuid());
        await using var stream = await StreamClient.OpenAsync(api, admin, $"?filters={Uri.EscapeDataString($$"""{"types":["count"],"userIds":["{{someone}}"],"levels":["critical"]}""")}");
        (await stream.WaitAsync("connected")).Data.GetProperty("filters").GetProperty("types")[0].GetString().Should().Be("count");

        await admin.PostAsync($"{Broadcast}/analytics", new { type = "other", data = new { } });
        await admin.PostAsync($"{Broadcast}/user-activity", new { userId = Guid.NewGuid(), action = "hidden" });
        await admin.PostAsync($"{Broadcast}/user-activity", new { userId = someone, action = "shown" });
        await AlertAsync(admin, "Not urgent");
        await CountAsync(admin, 1, 1);
        await stream.WaitAsync("analytics_update", data => IsNumber(data, 1));
        await stream.WaitAsync("user_activity", data => data.GetProperty("action").GetString() == "shown");
        stream.Events.Should().NotContain(one => one.Name == "user_activity" && one.Data.GetProperty("userId").GetString() != someone.ToString());
        stream.Events.Should().NotContain(one => one.Name == "analytics_update" && one.Data.GetProperty("type").GetString() != "count");

        var set = await other.PostAsync("/api/dashboard/realtime/sse/filters", new { clientId = stream.ClientId, filters = new { levels = (object?)null, sources = new[] { "tests" } } }, admin.AccessToken);
        set.Status.Should().Be(HttpStatusCode.OK, set.Text);
        set.Body.GetProperty("success").GetBoolean().Should().BeTrue();
        await VtpApi.UntilAsync(
            async () =>
            {
                await AlertAsync(admin, "Now urgent");
                return stream.Events.Any(one => one.Name == "system_alert");
            },
            "an alert of a level that is not left out any more");
        stream.Events.First(one => one.Name == "system_alert").Data.GetProperty("message").GetString().Should().Be("Now urgent");

        var stranger = await api.RegisterAsync();
        (await stranger.PostAsync("/api/dashboard/realtime/sse/filters", new { clientId = stream.ClientId, filters = new { types = new[] { "none" } } })).Status.Should().Be(HttpStatusCode.OK);
        await CountAsync(admin, 2, 1);
        await stream.WaitAsync("analytics_update", data => IsNumber(data, 2));

        foreach (var (filters, field) in new[] { ("{\"colour\":[\"red\"]}", "filters.colour"), ("{\"levels\":[\"loud\"]}", "filters.levels"), ("{\"userIds\":\"x\"}", "filters.userIds"), ("[]", "filters"), ("{", "filters") })
        {
            await using var refused = await StreamClient.OpenAsync(api, admin, $"?filters={Uri.EscapeDataString(filters)}");
            refused.Response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
            JsonElement.Parse(await refused.Response.Content.ReadAsStringAsync()).GetProperty("errors").TryGetProperty(field, out _).Should().BeTrue(field);
        }
    }

    [Fact]
    public async Task An_account_has_three_streams_on_all_nodes_and_who_comes_back_takes_their_own_place()
    {
        await using var other = await LiveApi.BesideAsync(api);
        var admin = await api.RegisterAdministratorAsync();
        var streams = new List<StreamClient>();
        foreach (var node in new VtpApi[] { api, other, api })
        {
            streams.Add(await StreamClient.OpenAsync(node, admin));
        }

        await VtpApi.UntilAsync(() => other.Service<IDashboardAudience>().Watchers.Count(watcher => watcher.Account == admin.UserId) == 3, "all nodes to know of them");
        await using (var fourth = await StreamClient.OpenAsync(other, admin))
        {
            fourth.Response.StatusCode.Should().Be(HttpStatusCode.TooManyRequests);
            fourth.Response.Headers.RetryAfter!.Delta.Should().BePositive();
        }

        await CountAsync(admin, 1, 1);
        await streams[0].WaitAsync("analytics_update", data => IsNumber(data, 1));
        await using var back = await StreamClient.OpenAsync(other, admin, lastEventId: streams[0].LastEventId); // Its old connection is still there.
        back.ClientId.Should().Be(streams[0].ClientId);
        await streams[1].DisposeAsync();
        await VtpApi.UntilAsync(() => other.Service<IDashboardAudience>().Watchers.Count(watcher => watcher.Account == admin.UserId) == 2, "one to have gone");
        await using var fifth = await StreamClient.OpenAsync(other, admin);
        fifth.Response.StatusCode.Should().Be(HttpStatusCode.OK);
        foreach (var stream in streams)
        {
            await stream.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_stream_ends_when_its_session_or_its_right_does()
    {
        var school = await api.FoundSchoolAsync();
        var manager = await school.JoinAsync("Admin");
        await using var ofSession = await StreamClient.OpenAsync(api, school.Owner);
        await using var ofMember = await StreamClient.OpenAsync(api, manager, $"?org_id={school.Id}");

        var member = (await school.Owner.GetAsync($"{school.Path}/members")).Body.GetProperty("data").EnumerateArray().Single(one => one.GetProperty("email").GetString() == manager.Email);
        (await school.Owner.Api.SendAsync(HttpMethod.Put, $"{school.Path}/members/{member.GetProperty("user_id").GetString()}/role", new { role = "Viewer" }, school.Owner.AccessToken)).Status.Should().Be(HttpStatusCode.OK);
        await ofMember.EndAsync();
        ofMember.Events.Last().Data.GetProperty("error").GetString().Should().Be("auth.forbidden");

        ofSession.HasEnded.Should().BeFalse();
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        await school.Owner.PostAsync("auth/logout");
        await ofSession.EndAsync();
        System.Diagnostics.Stopwatch.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(5), "two on a machine that does nothing else");
        ofSession.Events.Last().Name.Should().Be("error");
    }

    [Fact]
    public async Task Who_may_not_watch_is_refused_and_a_ticket_is_good_once()
    {
        var (student, school, other) = (await api.RegisterAsync(), await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        foreach (var (person, query, status) in new (Person?, string, HttpStatusCode)[]
        {
            (null, "", HttpStatusCode.Unauthorized),
            (null, $"?token={student.AccessToken}", HttpStatusCode.Unauthorized),
            (student, "", HttpStatusCode.Forbidden),
            (school.Owner, $"?org_id={other.Id}", HttpStatusCode.NotFound),
            (await api.RegisterAdministratorAsync(), $"?org_id={other.Id}", HttpStatusCode.NotFound),
        })
        {
            await using var refused = await StreamClient.OpenAsync(api, person, query);
            refused.Response.StatusCode.Should().Be(status, query);
            refused.Response.Content.Headers.ContentType!.MediaType.Should().Be("application/problem+json");
        }

        await using (var foreign = await StreamClient.OpenAsync(api, school.Owner, headers: ("Origin", "https://evil.example")))
        {
            foreign.Response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        }

        var ticket = (await school.Owner.PostAsync("realtime/tickets"))["ticket"];
        await using var stream = await StreamClient.OpenAsync(api, person: null, $"?ticket={ticket}");
        (await stream.WaitAsync("connected")).Data.GetProperty("organizationId").GetGuid().Should().Be(school.Id);
        stream.Response.Headers.CacheControl!.NoStore.Should().BeTrue();
        stream.Response.Headers.GetValues("X-Accel-Buffering").Should().Equal("no");
        stream.Retry.Should().BeInRange(1000, 4000);
        await using var again = await StreamClient.OpenAsync(api, person: null, $"?ticket={ticket}");
        again.Response.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task What_is_compressed_is_told_at_once_all_the_same(string encoding)
    {
        var admin = await api.RegisterAdministratorAsync();
        await using var stream = await StreamClient.OpenAsync(api, admin, encoding: encoding);
        stream.Response.Content.Headers.ContentEncoding.Should().Equal(encoding);
        for (var number = 0; number < 3; number++)
        {
            await CountAsync(admin, number, 1);
            await stream.WaitAsync("analytics_update", data => IsNumber(data, number));
        }
    }

    [Fact]
    public async Task A_client_that_takes_nothing_is_closed_and_others_are_not()
    {
        await using var node = await LiveApi.BesideAsync(api, ("Realtime:MaximumQueuedBytes", "65536"));
        var (admin, lazy) = (await api.RegisterAdministratorAsync(), await api.RegisterAdministratorAsync());
        await using var good = await StreamClient.OpenAsync(node, admin);
        using var stalled = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await stalled.ConnectAsync(node.Url.Host, node.Url.Port);
        await stalled.SendAsync(Encoding.ASCII.GetBytes($"GET {StreamClient.Path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {lazy.AccessToken}\r\n\r\n"));
        await VtpApi.UntilAsync(() => Of(lazy) == 1, "it to be there");
        var text = new string('x', 16_000);
        for (var number = 0; Of(lazy) == 1; number++)
        {
            number.Should().BeLessThan(2000, "what waits for it is bounded");
            (await admin.PostAsync($"{Broadcast}/analytics", new { type = "count", data = new { number, text } })).Status.Should().Be(HttpStatusCode.OK);
            await good.WaitAsync("analytics_update", data => IsNumber(data, number));
            good.Events.Clear();
        }

        good.HasEnded.Should().BeFalse();

        int Of(Person person) => node.Service<IDashboardAudience>().Watchers.Count(watcher => watcher.Account == person.UserId);
    }

    [Fact]
    public async Task A_node_that_stops_says_so_and_its_numbers_are_told_by_the_other()
    {
        await using var stopping = await LiveApi.BesideAsync(api);
        await using var other = await LiveApi.BesideAsync(api);
        var school = await api.FoundSchoolAsync();
        await using var first = await StreamClient.OpenAsync(stopping, school.Owner);
        await using var second = await StreamClient.OpenAsync(other, school.Owner);
        await second.WaitAsync("analytics_update", data => data.GetProperty("type").GetString() == "metrics_update");
        var told = await first.WaitAsync("analytics_update", data => data.GetProperty("type").GetString() == "metrics_update");
        told.Data.GetProperty("data").GetProperty("activeUsers").GetInt32().Should().BeLessThan(2, "it is that of one school");
        told.Data.GetProperty("data").GetProperty("connections").GetProperty("sse").GetInt32().Should().BeInRange(1, 2);

        await stopping.StopAsync();
        await first.WaitAsync("server_shutdown");
        await first.EndAsync();
        await VtpApi.UntilAsync(() => Times(second).Count >= 4, "numbers four times");
        Times(second).Zip(Times(second).Skip(1), (earlier, later) => later - earlier).Should().OnlyContain(pause => pause > TimeSpan.FromSeconds(4), "both nodes together tell them every five seconds");

        static List<DateTimeOffset> Times(StreamClient stream) =>
            [.. stream.Events.Where(one => one.Name == "analytics_update").Select(one => one.Data.GetProperty("serverTimestamp").GetDateTimeOffset())];
    }

    private static bool IsNumber(JsonElement update, int number) =>
        update.GetProperty("type").GetString() == "count" && update.GetProperty("data").GetProperty("number").GetInt32() == number;

    private static async Task CountAsync(Person admin, int from, int count)
    {
        foreach (var number in Enumerable.Range(from, count))
        {
            var answer = await admin.PostAsync($"{Broadcast}/analytics", new { type = "count", data = new { number } });
            answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        }
    }

    private static async Task AlertAsync(Person admin, string message)
    {
        var answer = await admin.PostAsync($"{Broadcast}/system-alert", new { level = "error", message, source = "tests" });
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
    }
}
