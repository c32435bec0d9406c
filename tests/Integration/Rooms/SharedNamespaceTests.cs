using Vtp.Integration.Fixture;

namespace Vtp.Integration.Rooms;

/// <summary>Two products in <c>/</c>.</summary>
[Collection(RoomNodes.Name)]
public sealed class SharedNamespaceTests(RoomNodes nodes)
{
    [Fact]
    public async Task Older_clients_watch_in_the_main_namespace_beside_those_who_meet_there()
    {
        var (admin, student) = (await nodes.One.RegisterAdministratorAsync(), await nodes.One.RegisterAsync());
        var watcher = nodes.Clients.Open(nodes.One, auth: new { token = admin.AccessToken });
        var (teacher, pupil) = (nodes.Clients.Open(nodes.One, auth: new { token = admin.AccessToken }, query: "?roomId=algebra"), nodes.Clients.Open(nodes.One, auth: new { token = student.AccessToken }));
        (await watcher.WaitAsync("dashboard_data"))[0]!["type"]!.GetValue<string>().Should().Be("initial_load");
        await teacher.WaitAsync("connect");
        await pupil.WaitAsync("connect");

        await admin.PostAsync($"/api/dashboard/realtime/broadcast/system-alert", new { level = "warning", message = "Heard by those who watch", source = "tests" });
        await admin.PostAsync($"/api/dashboard/realtime/broadcast/analytics", new { type = "told", data = 1 });
        (await watcher.WaitAsync("system_alert"))[0]!["message"]!.GetValue<string>().Should().Be("Heard by those who watch");
        await VtpApi.UntilAsync(() => watcher.All("analytics_update").Any(arguments => arguments[0]!["type"]!.GetValue<string>() == "told"), "the update");
        foreach (var other in new[] { teacher, pupil })
        {
            (await other.AskAsync("filter_change", new { types = new[] { "told" } }))[0]!["error"]!.GetValue<string>().Should().Be("realtime.event_unknown");
            other.All("system_alert").Concat(other.All("dashboard_data")).Should().BeEmpty();
            other.Close();
        }

        (await watcher.AskAsync("filter_change", new { types = new[] { "other" } }))[0]!["filters"]!["types"]![0]!.GetValue<string>().Should().Be("other");
        watcher.Close();
    }
}
