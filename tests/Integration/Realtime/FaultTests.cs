using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Vtp.Api.Realtime.EngineIo;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Realtime;

/// <summary>Clients that behave badly, in crowds.</summary>
[Collection(Alone.Name)]
public sealed class FaultTests(LiveApi api, SocketClients clients) : IClassFixture<LiveApi>, IClassFixture<SocketClients>
{
    [Fact]
    public async Task Clients_that_take_nothing_are_closed_and_memory_stays_flat()
    {
        const int Stalled = 1000;
        await using var node = await LiveApi.BesideAsync(
            api, ("Realtime:MaximumQueuedBytes", "65536"), ("Realtime:ConnectionsPerAddress", "3000"), ("Realtime:ConnectionsPerCaller", "3000"), ("Realtime:HistoryBytes", "1048576"));
        var person = await api.RegisterAsync();
        var sockets = new ConcurrentBag<Socket>();
        await Parallel.ForAsync(0, Stalled, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (_, _) => sockets.Add(await StalledAsync(node, person)));
        var good = clients.Open(node, "/topics", auth: new { token = person.AccessToken }, quiet: true);
        await good.WaitAsync("connect");
        await good.AskAsync("join", new { topic = "crowd" });
        var server = node.Service<EngineServer>();
        server.Count.Should().Be(Stalled + 1);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var text = new string('x', 16_000);
        var count = 0;
        for (var started = Stopwatch.GetTimestamp(); server.Count > 1 || count < 200; count++)
        {
            Stopwatch.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(60));
            (await node.Rooms.PublishAsync("crowd", text)).TryGet(out _, out _).Should().BeTrue();
            await VtpApi.UntilAsync(async () => await good.CountAsync() >= count - 1, "who reads to be told of it");
        }

        (GC.GetTotalMemory(forceFullCollection: true) - before).Should().BeLessThan(128 << 20, "for all of them more than three gigabytes were written");
        await VtpApi.UntilAsync(async () => await good.CountAsync() == count, "who reads to be told all of it");
        good.Close();
        foreach (var socket in sockets)
        {
            socket.Dispose();
        }
    }

    [Fact]
    public async Task A_flood_is_not_read_and_then_cut_off_and_others_feel_nothing()
    {
        await using var node = await LiveApi.BesideAsync(api, ("Realtime:ThrottledFor", "00:00:02"));
        var flooding = clients.Open(node, options: new { reconnection = false });
        await flooding.WaitAsync("connect");
        using var good = await RawClient.ConnectAsync(node); // Not in the process that is busy with flooding.
        flooding.Flood("note", 100_000);
        var slowest = TimeSpan.Zero;
        while (flooding.All("disconnect").Count == 0)
        {
            var asked = Stopwatch.GetTimestamp();
            await good.SendAsync("421[\"message-with-ack\",1]");
            (await good.ReadAsync()).Should().Be("431[1]");
            await Task.Delay(20);
            slowest = Stopwatch.GetElapsedTime(asked) is var took && took > slowest ? took : slowest;
        }

        var noted = node.Service<IEnumerable<Vtp.Api.Realtime.SocketIo.SocketNamespace>>().OfType<EchoNamespace>().First().Noted;
        noted.Count.Should().BeInRange(400, 1000, "a burst of 400, and 100 a second");
        noted.Should().BeInAscendingOrder();
        slowest.Should().BeLessThan(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Clients_of_a_node_that_stops_go_on_with_another()
    {
        const int Count = 50;
        var person = await api.RegisterAsync();
        await using var node = await LiveApi.BesideAsync(api, ("Realtime:ConnectionsPerCaller", "1000"));
        await using var other = await LiveApi.BesideAsync(api, ("Realtime:ConnectionsPerCaller", "1000"));
        var crowd = Enumerable.Range(0, Count).Select(_ => clients.Open(node, "/topics", auth: new { token = person.AccessToken })).ToList();
        foreach (var client in crowd)
        {
            await client.WaitAsync("connect");
            client.Emit("join", new { topic = "storm" });
        }

        await Task.WhenAll(crowd.Select(client => client.AskAsync("join", new { topic = "storm" })));
        await node.Rooms.PublishAsync("storm", "before");
        crowd.ForEach(client => client.Move(other));
        var stopped = node.StopAsync();
        for (var number = 0; number < 20; number++)
        {
            await other.Rooms.PublishAsync("storm", $"{number}");
        }

        await Task.WhenAll(crowd.Select(client => client.WaitAsync("said", 21)));
        await stopped;
        foreach (var client in crowd)
        {
            client.All("said").Select(arguments => arguments[0]!["text"]!.GetValue<string>()).Should().Equal(["before", .. Enumerable.Range(0, 20).Select(number => $"{number}")]);
            client.Close();
        }
    }

    [Fact]
    public async Task A_storm_of_five_thousand_that_come_back_is_served_and_each_is_told_all_that_it_missed()
    {
        const int Count = 5000;
        (string, string)[] room = [("Realtime:ConnectionsPerCaller", "10000"), ("Realtime:ConnectionsPerAddress", "10000"), ("Realtime:PingInterval", "00:02:00")];
        var person = await api.RegisterAsync();
        await using var node = await LiveApi.BesideAsync(api, room);
        await using var other = await LiveApi.BesideAsync(api, room);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = 64 };
        var (crowd, secrets, offsets) = (new RawClient[Count], new string[Count], new string[Count]);
        await Parallel.ForAsync(0, Count, parallel, async (index, _) =>
        {
            crowd[index] = await RawClient.OpenAsync(node, "EIO=4&transport=websocket");
            await crowd[index].ReadAsync();
            await crowd[index].SendAsync($"40/topics,{{\"token\":\"{person.AccessToken}\"}}");
            secrets[index] = Json((await crowd[index].ReadAsync())!).GetProperty("pid").GetString()!;
            await crowd[index].SendAsync("42/topics,1[\"join\",{\"topic\":\"storm\"}]");
            await crowd[index].ReadAsync();
        });
        await node.Rooms.PublishAsync("storm", "before");
        await Parallel.ForAsync(0, Count, parallel, async (index, _) => offsets[index] = Json((await crowd[index].ReadAsync())!)[2].GetString()!);

        var stopped = node.StopAsync();
        await Parallel.ForAsync(0, Count, parallel, async (index, _) =>
        {
            await crowd[index].ShouldEndAsync();
            crowd[index].Dispose();
        });
        await stopped;
        for (var number = 0; number < 3; number++)
        {
            await other.Rooms.PublishAsync("storm", $"{number}");
        }

        var told = new int[4];
        await Parallel.ForAsync(0, Count, parallel, async (index, _) =>
        {
            using var back = await RawClient.OpenAsync(other, "EIO=4&transport=websocket");
            await back.ReadAsync();
            await back.SendAsync($"40/topics,{{\"token\":\"{person.AccessToken}\",\"pid\":\"{secrets[index]}\",\"offset\":\"{offsets[index]}\"}}");
            await back.ReadAsync();
            for (var number = 0; number < 3; number++)
            {
                var said = Json((await back.ReadAsync())!);
                Interlocked.Increment(ref told[said[1].GetProperty("text").GetString() == $"{number}" ? number : 3]);
            }
        });
        told.Should().Equal(Count, Count, Count, 0);

        static JsonElement Json(string packet) => JsonElement.Parse(packet[packet.AsSpan().IndexOfAny('{', '[')..]);
    }

    [Fact]
    public async Task There_are_only_so_many_of_one_account()
    {
        await using var node = await LiveApi.BesideAsync(api, ("Realtime:ConnectionsPerCaller", "2"));
        var person = await api.RegisterAsync();
        var some = Enumerable.Range(0, 2).Select(_ => clients.Open(node, "/topics", auth: new { token = person.AccessToken })).ToList();
        foreach (var client in some)
        {
            await client.WaitAsync("connect");
        }

        var third = clients.Open(node, "/topics", auth: new { token = person.AccessToken });
        (await third.WaitAsync("connect_error"))[0]!["data"]!["error"]!.GetValue<string>().Should().Be("realtime.too_many_connections");
        some[0].Close();
        await VtpApi.UntilAsync(
            async () =>
            {
                var fourth = clients.Open(node, "/topics", auth: new { token = person.AccessToken }, options: new { reconnection = false });
                await VtpApi.UntilAsync(() => fourth.All("connect").Count + fourth.All("connect_error").Count > 0, "an answer");
                return fourth.All("connect").Count == 1;
            },
            "a place that was left to be free");
        third.Close();
    }

    /// <summary>Joins the topic of the crowd, and reads no more.</summary>
    private static async Task<Socket> StalledAsync(VtpApi node, Person person)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096, NoDelay = true };
        await socket.ConnectAsync(node.Url.Host, node.Url.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {node.Url.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
        var buffer = new byte[4096];
        await ReadUntilAsync("pingInterval");
        await socket.SendAsync(Frame($"40/topics,{{\"token\":\"{person.AccessToken}\"}}"));
        await ReadUntilAsync("pid");
        await socket.SendAsync(Frame("42/topics,1[\"join\",{\"topic\":\"crowd\"}]"));
        await ReadUntilAsync("recovered");
        return socket;

        async Task ReadUntilAsync(string text)
        {
            for (var heard = ""; !heard.Contains(text);)
            {
                var length = await socket.ReceiveAsync(buffer);
                length.Should().BePositive();
                heard += Encoding.UTF8.GetString(buffer, 0, length);
            }
        }

        // Masked with zeros, as a client must.
        static byte[] Frame(string text)
        {
            var payload = Encoding.UTF8.GetBytes(text);
            byte[] length = payload.Length < 126 ? [(byte)(0x80 | payload.Length)] : [0xfe, (byte)(payload.Length >> 8), (byte)payload.Length];
            return [0x81, .. length, 0, 0, 0, 0, .. payload];
        }
    }
}
