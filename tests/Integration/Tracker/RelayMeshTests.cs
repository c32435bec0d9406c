using System.Collections.Concurrent;
using System.Text;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tracker;

/// <summary>Two nodes, peers on each; what nodes say to each other goes by PostgreSQL alone, or by Redis besides.</summary>
[Collection(Alone.Name)]
public sealed class RelayMeshTests(RelayMeshTests.Pair pair) : IClassFixture<RelayMeshTests.Pair>
{
    private Nodes Shared => pair.Nodes;

    [Fact]
    public Task A_message_finds_its_target_on_another_node_and_the_answer_comes_back() => ExchangeAsync(Shared);

    private static async Task ExchangeAsync(Nodes nodes)
    {
        var (seederId, downloadId) = (RelayNode.NewId("seeder"), RelayNode.NewId("download"));
        await using var seeder = await nodes.One.PeerAsync(seederId);
        await using var download = await nodes.Two.ConnectAsync(downloadId);
        await nodes.KnowsAsync(seederId);

        await download.AskAsync(seederId, "r-1");
        var asked = (await seeder.HearAsync())!;
        asked["from"]!.GetValue<string>().Should().Be(downloadId);

        var data = new string('A', 350_000);
        for (var number = 0; number < 20; number++)
        {
            await seeder.SendAsync(Encoding.UTF8.GetBytes($$$"""{"type":"relay_chunk_data","to":"{{{downloadId}}}","request_id":"{{{number}}}","payload":{"data":"{{{data}}}"}}"""));
        }

        for (var number = 0; number < 20; number++)
        {
            var got = (await download.HearAsync())!;
            got["request_id"]!.GetValue<string>().Should().Be($"{number}", "they come in their order");
            got["from"]!.GetValue<string>().Should().Be(seederId);
            got["payload"]!["data"]!.GetValue<string>().Should().Be(data);
        }

        await download.AskAsync("peer-that-is-nowhere", "r-2");
        (await download.HearAsync())!["payload"]!["code"]!.GetValue<int>().Should().Be(404);
        var list = await nodes.Two.SendAsync(HttpMethod.Get, "/api/relay/peers", null, null, ("X-API-Key", RelayNode.PublicKey));
        list.Body.GetProperty("peers").EnumerateArray().Select(id => id.GetString()).Should().Contain([seederId, downloadId]);
    }

    [Fact]
    public async Task A_peer_that_connects_to_another_node_is_there_and_here_no_more()
    {
        var nodes = Shared;
        var (id, askerId) = (RelayNode.NewId(), RelayNode.NewId());
        await using var older = await nodes.One.PeerAsync(id);
        await using var asker = await nodes.One.PeerAsync(askerId);
        await nodes.KnowsAsync(id);

        await using var newer = await nodes.Two.ConnectAsync(id);

        (await older.ClosedAsync()).Should().Be(4001);
        await asker.AskAsync(id, "r-1");
        (await newer.HearAsync())!["request_id"]!.GetValue<string>().Should().Be("r-1");
        await newer.AskAsync(askerId, "r-2");
        (await asker.HearAsync())!["request_id"]!.GetValue<string>().Should().Be("r-2");
    }

    [Fact]
    public async Task A_stalled_receiver_on_another_node_holds_its_sender_back_and_every_message_is_told_of()
    {
        var nodes = Shared;
        var (stalledId, quickId) = (RelayNode.NewId(), RelayNode.NewId());
        nodes.One.Register(stalledId);
        await using var stalled = await RelayClient.ConnectAsync(nodes.One, $"/relay?peer_id={stalledId}", stalls: true);
        await using var quick = await nodes.One.PeerAsync(quickId);
        await using var sender = await nodes.Two.PeerAsync();
        await nodes.KnowsAsync(stalledId);
        await nodes.KnowsAsync(quickId);
        var memory = new[] { nodes.One, nodes.Two }.Select(node => node.Service<Infrastructure.Relay.RelayHub>().Memory).ToList();
        var errors = new ConcurrentBag<int>();
        var hearing = Task.Run(async () =>
        {
            while (await sender.HearAsync() is { } error)
            {
                errors.Add(error["payload"]!["code"]!.GetValue<int>());
            }
        });
        long most = 0;

        for (var number = 0; number < 60; number++)
        {
            await sender.SendAsync(Encoding.UTF8.GetBytes($$"""{"type":"relay_chunk_data","to":"{{stalledId}}","request_id":"{{number}}","payload":"{{new string('A', 350_000)}}"}"""));
            most = Math.Max(most, memory.Max(one => one.Held));
        }

        await sender.AskAsync(quickId, "r-quick");
        (await quick.HearAsync())!["request_id"]!.GetValue<string>().Should().Be("r-quick");
        most.Should().BeLessThan(8 << 20);
        await VtpApi.UntilAsync(() => errors.Count > 35, "what was not taken to be told of");
        errors.Should().OnlyContain(code => code == 404 || code == 503);
        await sender.DisposeAsync();
        await hearing.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task Of_a_node_that_has_died_the_others_forget_the_peers_and_whoever_asks_is_told()
    {
        var nodes = Shared;
        var id = RelayNode.NewId();
        await using var asker = await nodes.One.PeerAsync();

        // As a node that was killed leaves it: it gave its last sign of life just now, and reads nothing.
        var dead = Guid.NewGuid();
        await nodes.One.QueryAsync<int>("INSERT INTO relay_nodes VALUES ($1, clock_timestamp())", dead);
        await nodes.One.QueryAsync<int>("INSERT INTO relay_links VALUES ($1, $2, $3, $4)", nodes.One.Own().Project.Value, id, dead, Guid.NewGuid());

        await asker.AskAsync(id, "r-1");
        (await asker.HearAsync())!["payload"]!["code"]!.GetValue<int>().Should().Be(503, "nobody says what became of it");

        await nodes.One.QueryAsync<int>("UPDATE relay_nodes SET seen_at = clock_timestamp() - interval '11 seconds' WHERE id = $1", dead);
        await VtpApi.UntilAsync(async () => await nodes.One.QueryAsync<long>("SELECT count(*) FROM relay_frames") + await nodes.One.QueryAsync<long>("SELECT count(*) FROM relay_nodes WHERE id = $1", dead) == 0, "it to be forgotten with all that waited for it");
        await asker.AskAsync(id, "r-2");
        (await asker.HearAsync())!["payload"]!["code"]!.GetValue<int>().Should().Be(404);
    }

    [Fact]
    public async Task Redis_may_be_killed_and_come_back_and_messages_go_by_postgresql_meanwhile()
    {
        await using var nodes = await Nodes.StartAsync(withRedis: true);
        await ExchangeAsync(nodes);
        var (seederId, downloadId) = (RelayNode.NewId(), RelayNode.NewId());
        await using var seeder = await nodes.One.PeerAsync(seederId);
        await using var download = await nodes.Two.PeerAsync(downloadId);
        await nodes.KnowsAsync(seederId);

        await SayAsync("before");
        await nodes.Redis!.KillAsync();
        await SayAsync("without");
        await nodes.Redis.StartAgainAsync();
        await SayAsync("after");

        async Task SayAsync(string requestId)
        {
            await download.AskAsync(seederId, requestId);
            (await seeder.HearAsync())!["request_id"]!.GetValue<string>().Should().Be(requestId);
            await seeder.AskAsync(downloadId, requestId);
            (await download.HearAsync())!["request_id"]!.GetValue<string>().Should().Be(requestId);
        }
    }

    [Fact]
    public async Task A_server_that_stops_sends_what_waits_says_where_to_go_and_leaves_no_trace()
    {
        var third = new RelayNode(Shared.One.ConnectionString, Shared.One.Peers, []);
        await third.InitializeAsync();
        var id = RelayNode.NewId();
        await using var peer = await third.PeerAsync(id);
        await using var sender = await third.PeerAsync();
        await using var feed = await RelayClient.ConnectAsync(third, "/ws", RelayNode.PublicKey);
        for (var number = 0; number < 5; number++)
        {
            await sender.SendAsync(Encoding.UTF8.GetBytes($$"""{"type":"relay_chunk_data","to":"{{id}}","request_id":"{{number}}","payload":"{{new string('A', 100_000)}}"}"""));
        }

        await sender.SendAsync("""{"type":"relay_ping"}""");
        await sender.HearAsync();
        var stopping = third.StopAsync();
        for (var number = 0; number < 5; number++)
        {
            (await peer.HearAsync())!["request_id"]!.GetValue<string>().Should().Be($"{number}");
        }

        (await peer.ClosedAsync()).Should().Be(1001);
        (await feed.ClosedAsync()).Should().Be(1001);
        await peer.Socket.CloseOutputAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await stopping;
        (await Shared.One.QueryAsync<long>("SELECT count(*) FROM relay_links WHERE peer_id = $1", id)).Should().Be(0);
        (await Shared.One.QueryAsync<long>("SELECT count(*) FROM relay_nodes")).Should().Be(2);
        await third.DisposeAsync();
    }

    /// <summary>For tests that leave both as they were.</summary>
    public sealed class Pair : IAsyncLifetime
    {
        internal Nodes Nodes { get; private set; } = null!;

        public async Task InitializeAsync() => Nodes = await Nodes.StartAsync(withRedis: false);

        public async Task DisposeAsync() => await Nodes.DisposeAsync();
    }

    /// <summary>One and two, on one database.</summary>
    internal sealed class Nodes(RelayNode one, RelayNode two, RedisProcess? redis) : IAsyncDisposable
    {
        public RelayNode One => one;

        public RelayNode Two => two;

        public RedisProcess? Redis => redis;

        public static async Task<Nodes> StartAsync(bool withRedis)
        {
            var redis = withRedis ? await RedisProcess.StartAsync() : null;
            (string, string)[] settings = redis is null ? [] : [("ConnectionStrings:Redis", redis.ConnectionString)];
            var peers = new PeerBook();
            var one = new RelayNode(database: null, peers, settings);
            await one.InitializeAsync();
            var two = new RelayNode(one.ConnectionString, peers, settings);
            await two.InitializeAsync();
            await VtpApi.UntilAsync(
                () => !one.Service<Infrastructure.Relay.RelayNodes>().IsAlone && !two.Service<Infrastructure.Relay.RelayNodes>().IsAlone, "the nodes to know of each other");
            return new Nodes(one, two, redis);
        }

        public Task KnowsAsync(string peerId) =>
            VtpApi.UntilAsync(async () => await one.QueryAsync<long>("SELECT count(*) FROM relay_links WHERE peer_id = $1", peerId) == 1, "the link to be known");

        public async ValueTask DisposeAsync()
        {
            await two.DisposeAsync();
            await one.DisposeAsync();
            if (redis is not null)
            {
                await redis.DisposeAsync();
            }
        }
    }
}
