using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Vtp.Application.Tracker;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Tracker;

public sealed class FeedTests(RelayNode api) : IClassFixture<RelayNode>
{
    private const string Hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public async Task Who_shows_a_key_hears_all_and_who_shows_none_is_not_told_where_peers_are()
    {
        await using var whole = await RelayClient.ConnectAsync(api, $"/ws?api_key={RelayNode.PublicKey}");
        await using var reduced = await RelayClient.ConnectAsync(api, "/ws");
        await EventAsync(whole, "stats_update");
        await EventAsync(reduced, "stats_update");

        var id = RelayNode.NewId();
        var peer = api.Register(id);
        api.Peers.Tell(new TrackerChange.FileAdded(peer.Project, Hash, "<img src=x onerror=alert(1)>", 600_000, id));
        api.Peers.Tell(new TrackerChange.FileRemoved(peer.Project, Hash));
        api.Peers.Remove(peer);

        var joined = await EventAsync(whole, "peer_joined");
        joined["data"]!.ToJsonString().Should().Be($$"""{"peer_id":"{{id}}","hostname":"host","ip":"127.0.0.1"}""");
        DateTimeOffset.Parse(joined["timestamp"]!.GetValue<string>(), CultureInfo.InvariantCulture).Should().BeCloseTo(api.Clock.GetUtcNow(), TimeSpan.FromMinutes(1));
        var added = await EventAsync(whole, "file_added");
        added["data"]!["name"]!.GetValue<string>().Should().Be("<img src=x onerror=alert(1)>");
        added["data"]!["size"]!.GetValue<long>().Should().Be(600_000);
        added["data"]!["added_by"]!.GetValue<string>().Should().Be(id);
        (await EventAsync(whole, "file_removed"))["data"]!["hash"]!.GetValue<string>().Should().Be(Hash);
        (await EventAsync(whole, "peer_left"))["data"]!["peer_id"]!.GetValue<string>().Should().Be(id);

        (await EventAsync(reduced, "peer_joined"))["data"]!.AsObject().Should().NotContainKey("ip");
        (await EventAsync(reduced, "peer_left"))["data"]!["peer_id"]!.GetValue<string>().Should().Be(id);
    }

    [Fact]
    public async Task How_things_stand_is_told_at_once_and_every_five_seconds()
    {
        await using var client = await RelayClient.ConnectAsync(api, "/ws", RelayNode.PublicKey);
        await using var link = await api.PeerAsync();

        (await EventAsync(client, "stats_update"))["data"]!.AsObject().Select(member => member.Key)
            .Should().Equal("peers_online", "peers_total", "files_count", "relay_peers", "ws_clients");
        var next = await EventAsync(client, "stats_update");
        next["data"]!["relay_peers"]!.GetValue<int>().Should().BePositive();
        next["data"]!["ws_clients"]!.GetValue<int>().Should().BePositive();
        next["data"]!["peers_online"]!.GetValue<int>().Should().BePositive();
    }

    [Fact]
    public async Task Nothing_of_one_project_is_heard_in_another()
    {
        var project = await (await api.FoundSchoolAsync()).CreateProjectAsync();
        await using var stranger = await RelayClient.ConnectAsync(api, "/ws", project.Secret);
        (await EventAsync(stranger, "stats_update"))["data"]!["ws_clients"]!.GetValue<int>().Should().Be(1);
        api.Register(RelayNode.NewId());

        // The next that comes is not of that peer.
        (await stranger.HearAsync())!["type"]!.GetValue<string>().Should().Be("stats_update");
    }

    [Fact]
    public async Task A_member_hears_their_own_projects_and_no_other()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var stranger = await api.RegisterAsync();
        await using var feed = await RelayClient.ConnectAsync(api, $"/ws?project_id={project.Id}", headers: ("Authorization", $"Bearer {school.Owner.AccessToken}"));
        await EventAsync(feed, "stats_update");

        var refused = () => RelayClient.ConnectAsync(api, $"/ws?project_id={project.Id}", headers: ("Authorization", $"Bearer {stranger.AccessToken}"));
        (await refused.Should().ThrowAsync<HandshakeRefused>()).Which.Status.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Who_talks_instead_of_listening_is_let_go()
    {
        await using var client = await RelayClient.ConnectAsync(api, "/ws", RelayNode.PublicKey);
        await client.SendAsync("a word or two");
        await EventAsync(client, "stats_update");

        await client.SendAsync(new string('x', 513));

        (await client.ClosedAsync()).Should().Be(1009);
    }

    [Fact]
    public async Task Who_does_not_listen_is_let_go_and_holds_nobody_up()
    {
        await using var deaf = await RelayClient.ConnectAsync(api, "/ws", RelayNode.OtherPublicKey, stalls: true);
        await using var other = await RelayClient.ConnectAsync(api, "/ws", RelayNode.PublicKey);
        await EventAsync(other, "stats_update");
        var (name, project, heard) = (new string('n', 500), api.Own().Project, 0);
        var hearing = Task.Run(async () =>
        {
            for (; heard < 20_000; Interlocked.Increment(ref heard))
            {
                (await other.HearAsync()).Should().NotBeNull();
            }
        });

        // No more than who listens takes.
        for (var told = 0; !hearing.IsCompleted; told++)
        {
            api.Peers.Tell(new TrackerChange.FileAdded(project, Hash, name, told, "peer"));
            while (told - Volatile.Read(ref heard) > 100 && !hearing.IsCompleted)
            {
                await Task.Yield();
            }
        }

        await hearing;
        try
        {
            (await deaf.ClosedAsync()).Should().Be(1013);
        }
        catch (WebSocketException)
        {
            // What closes it may not get through either; then it is cut off.
        }
    }

    private static async Task<JsonObject> EventAsync(RelayClient client, string type)
    {
        while (true)
        {
            var next = await client.HearAsync() ?? throw new InvalidOperationException($"The feed ended before {type}.");
            if (next["type"]!.GetValue<string>() == type)
            {
                return next;
            }
        }
    }
}
