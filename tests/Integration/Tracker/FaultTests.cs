using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Vtp.Integration.Fixture;
using Vtp.Integration.Startup;

namespace Vtp.Integration.Tracker;

/// <summary>Nodes come and go, the database too; what was acknowledged stays, and every node knows it.</summary>
public sealed class FaultTests
{
    [Fact]
    public async Task A_server_that_starts_again_knows_every_swarm_at_once()
    {
        await using var nodes = new Nodes(await StartAsync());
        var api = nodes.First;
        var (file, gone) = (TestFile.New(), TestFile.New());
        var (stays, leaves) = (await TestPeer.New(api).RegisteredAsync(), await TestPeer.New(api).RegisteredAsync());
        await stays.SharesAsync(file);
        await leaves.SharesAsync(file, gone);
        await stays.ReportAsync(1000, 10);
        await leaves.LeaveAsync();
        await api.RemoveAsync($"admin/files/{gone.Hash}");

        await api.StopAsync();
        await api.StartAsync();

        (await stays.HoldersOfAsync(file)).Should().Equal(stays.Id);
        (await stays.HoldersOfAsync(gone)).Should().Equal("file.not_found");
        (await stays.GetAsync($"files/{file.Hash}/peers")).Body.GetProperty("chunks").GetArrayLength().Should().Be(3);
        (await api.ReadAsync("peers/top")).Body.GetProperty("peers")[0].GetProperty("bytes_uploaded").GetInt64().Should().Be(1000);
        (await stays.HeartbeatAsync(file))["registered"].Should().Be("True");
        (await leaves.HeartbeatAsync(file))["registered"].Should().Be("False");
    }

    [Fact]
    public async Task Nodes_know_of_each_others_peers_and_files_and_of_each_change_once()
    {
        await using var nodes = new Nodes(await StartAsync());
        var first = nodes.First;
        var second = await nodes.AddAsync();
        var (file, told) = (TestFile.New(), new ConcurrentQueue<string>());
        using var watching = second.Service<Application.Tracker.IPeerDirectory>().Watch(change => told.Enqueue(change.GetType().Name));

        var peer = await (await TestPeer.New(first).RegisteredAsync()).SharesAsync(file);
        var there = peer with { Api = second };
        await VtpApi.UntilAsync(async () => (await there.HoldersOfAsync(file)) is [var only] && only == peer.Id, "the other node to know");
        (await there.HeartbeatAsync(file))["registered"].Should().Be("True");
        (await there.LeaveAsync()).Status.Should().Be(HttpStatusCode.OK);

        await VtpApi.UntilAsync(async () => (await peer.HoldersOfAsync(file)).Length == 0, "the first node to know");
        told.Should().Equal("PeerJoined", "FileAdded", "PeerLeft");
        (await first.EventsAsync(peer.Id, 2)).Should().Equal("tracker.peer_joined", "tracker.peer_left");
    }

    [Fact]
    public async Task Two_nodes_that_write_at_the_same_time_agree_on_everything()
    {
        await using var nodes = new Nodes(await StartAsync());
        VtpApi[] both = [nodes.First, await nodes.AddAsync()];
        var file = TestFile.New();
        var poison = file with { Chunks = [TestFile.Sha("poison"), .. file.Chunks.Skip(1)] };
        var peers = await Task.WhenAll(Enumerable.Range(0, 60).Select(number => TestPeer.New(both[number % 2]).RegisteredAsync()));

        // One content on the one node, another one on the other.
        var answers = await Task.WhenAll(peers.Select((peer, number) => peer.AnnounceAsync(number % 2 == 0 ? file : poison)));

        var winners = Enumerable.Range(0, 60).Where(number => answers[number].Status == HttpStatusCode.OK).ToList();
        winners.Select(number => number % 2).Distinct().Should().ContainSingle("one content stands");
        winners.Should().HaveCount(30);
        answers.Where(answer => answer.Status != HttpStatusCode.OK).Should().OnlyContain(answer => answer.Error == "file.content_differs");
        var holders = winners.Select(number => peers[number].Id).Order(StringComparer.Ordinal).ToArray();
        foreach (var node in both)
        {
            await VtpApi.UntilAsync(async () => (await (peers[0] with { Api = node }).HoldersOfAsync(file)).SequenceEqual(holders), "each node to know all holders");
        }

        (await nodes.First.EventsAsync(file.Hash, 1)).Should().Equal("tracker.file_added");
    }

    [Fact]
    public async Task A_peer_that_falls_silent_on_one_of_two_nodes_leaves_once_and_one_that_speaks_to_the_other_stays()
    {
        await using var nodes = new Nodes(await StartAsync());
        var first = nodes.First;
        var second = await nodes.AddAsync();
        var (silent, speaks) = (await TestPeer.New(first).RegisteredAsync(), await TestPeer.New(first).RegisteredAsync());
        await VtpApi.UntilAsync(async () => (await (speaks with { Api = second }).HeartbeatAsync())["registered"] == "True", "the other node to know it");

        first.Clock.Advance(TimeSpan.FromSeconds(80));
        await (speaks with { Api = second }).HeartbeatAsync();
        await VtpApi.UntilAsync(
            async () => await first.QueryAsync<bool>("SELECT last_seen_at > registered_at + interval '70 seconds' FROM tracker_peers WHERE peer_id = $1", speaks.Id),
            "its heartbeat to be written");
        first.Clock.Advance(TimeSpan.FromSeconds(11));

        (await first.EventsAsync(silent.Id, 2)).Should().Equal("tracker.peer_joined", "tracker.peer_left");
        (await first.EventsAsync(speaks.Id, 1)).Should().Equal("tracker.peer_joined");
        (await first.EventsAsync(silent.Id, 2)).Should().HaveCount(2);
    }

    [Fact]
    public async Task While_the_database_is_away_changes_are_refused_reads_are_answered_and_nothing_is_known_that_is_not_on_disk()
    {
        await using var nodes = new Nodes(await StartAsync());
        var api = nodes.First;
        var (file, other) = (TestFile.New(), TestFile.New());
        var peer = await (await TestPeer.New(api).RegisteredAsync()).SharesAsync(file);
        (await peer.GetAsync($"files/{file.Hash}/peers")).Status.Should().Be(HttpStatusCode.OK);
        await using (await DatabaseAway.FromAsync(api))
        {
            foreach (var answer in new[] { await peer.AnnounceAsync(other), await TestPeer.New(api).RegisterAsync(), await peer.LeaveAsync() })
            {
                answer.ShouldBeProblem(HttpStatusCode.ServiceUnavailable, "server.database_away");
                answer.Headers.RetryAfter!.Delta.Should().BePositive();
            }

            (await peer.HoldersOfAsync(file)).Should().Equal(peer.Id);
            (await peer.HoldersOfAsync(other)).Should().Equal("file.not_found");
            (await peer.HeartbeatAsync(file)).Status.Should().Be(HttpStatusCode.OK, "memory knows it");
            api.Clock.Advance(TimeSpan.FromSeconds(100));
        }

        await VtpApi.UntilAsync(async () => (await peer.AnnounceAsync(other)).Status == HttpStatusCode.OK, "the database to be back");
        await VtpApi.UntilAsync(async () => (await peer.HoldersOfAsync(other)) is [var only] && only == peer.Id, "it to be told of, by connections that are new");
        (await api.EventsAsync(peer.Id, 1)).Should().Equal(["tracker.peer_joined"], "who could not be heard is not called silent");
        (await api.QueryAsync<long>("SELECT count(*) FROM tracker_members JOIN tracker_peers ON id = peer WHERE peer_id = $1", peer.Id)).Should().Be(2);
    }

    [Fact]
    public async Task Nothing_that_was_acknowledged_is_lost_when_the_server_is_killed()
    {
        var database = await TestPostgres.NewDatabaseAsync();
        (string, string)[] settings =
        [
            ("ConnectionStrings__Vtp", database), ("API_KEYS", TrackerApi.PeerKey), ("RateLimits__tracker-announce__Limit", "1000000"), ("RateLimits__tracker-announce__Burst", "1000000"),
        ];
        await using var folder = new VtpFolder();
        var (acknowledged, id) = (new ConcurrentBag<string>(), Guid.NewGuid().ToString());
        await using (var server = await RealServer.ServeAsync(folder, environment: settings))
        {
            (await SendAsync(server, "peers/register", $$"""{"peer_id":"{{id}}","ip":"","port":6881}""")).Should().Be(HttpStatusCode.OK);
            var announcing = Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
            {
                while (true)
                {
                    var file = TestFile.New();
                    try
                    {
                        if (await SendAsync(server, "files/announce", file.Announcement(id)) != HttpStatusCode.OK)
                        {
                            return;
                        }
                    }
                    catch (HttpRequestException)
                    {
                        return; // Killed before it answered.
                    }

                    acknowledged.Add(file.Hash);
                }
            })).ToList();
            await VtpApi.UntilAsync(() => acknowledged.Count > 200, "some hundred announcements");
            await server.SignalAsync("KILL");
            await Task.WhenAll(announcing);
        }

        await using var again = await RealServer.ServeAsync(folder, environment: settings);
        var known = new HashSet<string>(StringComparer.Ordinal);
        for (var page = 1; ; page++)
        {
            var list = System.Text.Json.JsonDocument.Parse(await again.Http.GetStringAsync(new Uri($"/api/files?page={page}", UriKind.Relative))).RootElement.GetProperty("files");
            known.UnionWith(list.EnumerateArray().Where(file => file.GetProperty("seeders").GetInt32() == 1).Select(file => file.GetProperty("hash").GetString()!));
            if (list.GetArrayLength() == 0)
            {
                break;
            }
        }

        acknowledged.Should().BeSubsetOf(known).And.HaveCountGreaterThan(200);

        static async Task<HttpStatusCode> SendAsync(RealServer server, string path, string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/{path}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.Add("X-API-Key", TrackerApi.PeerKey);
            using var response = await server.Http.SendAsync(request);
            return response.StatusCode;
        }
    }

    private static async Task<TrackerApi> StartAsync()
    {
        var api = new TrackerApi();
        await api.InitializeAsync();
        return api;
    }

    private sealed class Nodes(TrackerApi first) : IAsyncDisposable
    {
        private readonly List<VtpApi> _nodes = [first];

        public TrackerApi First { get; } = first;

        public async Task<VtpApi> AddAsync()
        {
            var node = await SecondNode.BesideAsync(First, ("API_KEYS", $"{TrackerApi.PeerKey},{TrackerApi.OtherPeerKey},admin={TrackerApi.AdminKey}"));
            _nodes.Add(node);
            return node;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var node in Enumerable.Reverse(_nodes))
            {
                await node.DisposeAsync();
            }
        }
    }
}
