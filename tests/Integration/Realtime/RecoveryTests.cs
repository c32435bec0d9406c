using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Realtime;

/// <summary>Clients that are interrupted, and nodes that go away: nothing is lost, nothing comes twice, all is in order.</summary>
public sealed class RecoveryTests(LiveApi api, SocketClients clients) : IClassFixture<LiveApi>, IClassFixture<SocketClients>
{
    [Theory]
    [InlineData("postgres")]
    [InlineData("redis")]
    public async Task A_client_whose_node_dies_in_midstream_goes_on_with_the_other(string backplane)
    {
        await using var redis = backplane == "redis" ? await RedisProcess.StartAsync() : null;
        (string, string)[] settings = redis is null ? [] : [("ConnectionStrings:Redis", redis.ConnectionString)];
        var dying = await LiveApi.BesideAsync(api, settings);
        await using var other = await LiveApi.BesideAsync(api, settings);
        var person = await api.RegisterAsync();
        var client = clients.Open(dying, "/topics", auth: new { token = person.AccessToken });
        var sid = (await client.WaitAsync("connect"))[0]!["sid"]!.GetValue<string>();
        await client.AskAsync("join", new { topic = "lesson" });
        client.Move(other);

        var stopped = Task.CompletedTask;
        for (var number = 0; number < 200; number++)
        {
            (await other.Rooms.PublishAsync("lesson", $"{number}")).TryGet(out _, out var refusal).Should().BeTrue(refusal?.Detail);
            if (number == 80)
            {
                await client.WaitAsync("said", 40);
                stopped = dying.StopAsync();
            }
        }

        await client.WaitAsync("said", 200);
        await stopped;
        client.All("said").Select(arguments => arguments[0]!["text"]!.GetValue<string>()).Should().Equal(Enumerable.Range(0, 200).Select(number => $"{number}"));
        var back = (await client.WaitAsync("connect", 2))[0]!;
        back["recovered"]!.GetValue<bool>().Should().BeTrue();
        back["sid"]!.GetValue<string>().Should().Be(sid);
        client.Close();
        await dying.DisposeAsync();
    }

    [Fact]
    public async Task What_happened_while_a_client_was_away_is_told_from_the_log_of_events()
    {
        await using var one = await LiveApi.BesideAsync(api);
        await using var other = await LiveApi.BesideAsync(api);
        var school = await api.FoundSchoolAsync();
        var client = clients.Open(one, "/events", auth: new { token = school.Owner.AccessToken }, options: new { reconnectionDelay = 1500, reconnectionDelayMax = 1500, randomizationFactor = 0 });
        await client.WaitAsync("connect");
        await client.AskAsync("subscribe", new { types = new[] { "project.created" } });
        await school.CreateProjectAsync("Project 0");
        await client.WaitAsync("event");
        client.Move(other);
        client.Cut();
        await client.WaitAsync("disconnect");
        for (var number = 1; number <= 3; number++)
        {
            await school.CreateProjectAsync($"Project {number}");
        }

        await client.WaitAsync("connect", 2);
        await school.CreateProjectAsync("Project 4");
        await client.WaitAsync("event", 5);
        client.All("connect")[1][0]!["recovered"]!.GetValue<bool>().Should().BeTrue();
        client.All("event").Select(arguments => arguments[0]!["data"]!["name"]!.GetValue<string>()).Should().Equal(Enumerable.Range(0, 5).Select(number => $"Project {number}"));
        client.Close();
    }

    [Fact]
    public async Task Who_was_away_for_too_long_is_told_so()
    {
        await using var node = await LiveApi.BesideAsync(api, ("Realtime:HistoryMessages", "5"));
        var person = await api.RegisterAsync();
        var client = clients.Open(node, "/topics", auth: new { token = person.AccessToken }, options: new { reconnectionDelay = 700, randomizationFactor = 0 });
        await client.WaitAsync("connect");
        await client.AskAsync("join", new { topic = "small" });
        await node.Rooms.PublishAsync("small", "first");
        await client.WaitAsync("said");
        client.Cut();
        await client.WaitAsync("disconnect");
        for (var number = 0; number < 7; number++)
        {
            await node.Rooms.PublishAsync("small", $"{number}");
        }

        (await client.WaitAsync("connect", 2))[0]!["recovered"]!.GetValue<bool>().Should().BeFalse();
        client.All("said").Should().ContainSingle();
        client.Close();
    }

    [Fact]
    public async Task Nobody_comes_back_as_somebody_else()
    {
        var (one, other) = (await api.RegisterAsync(), await api.RegisterAsync());
        using var socket = await RawClient.OpenAsync(api, "EIO=4&transport=websocket");
        await socket.ReadAsync();
        await socket.SendAsync($"40/topics,{{\"token\":\"{one.AccessToken}\"}}");
        var accepted = System.Text.Json.JsonDocument.Parse((await socket.ReadAsync())!["40/topics,".Length..]).RootElement;
        var (sid, pid) = (accepted.GetProperty("sid").GetString(), accepted.GetProperty("pid").GetString());
        await socket.SendAsync("42/topics,1[\"join\",{\"topic\":\"private\"}]");
        (await socket.ReadAsync()).Should().Contain("\"recovered\":true");

        foreach (var (token, isBack) in new[] { (other.AccessToken, false), (one.AccessToken, true) })
        {
            using var second = await RawClient.OpenAsync(api, "EIO=4&transport=websocket");
            await second.ReadAsync();
            await second.SendAsync($"40/topics,{{\"token\":\"{token}\",\"pid\":\"{pid}\",\"offset\":\"\"}}");
            (await second.ReadAsync())!.Contains(sid!).Should().Be(isBack);
        }
    }
}
