using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Vtp.Application.Realtime;
using Vtp.Integration.Fixture;
using Vtp.Integration.Realtime;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Rooms;

/// <summary>Crowds, floods, garbage and nodes that die.</summary>
[Collection(RoomNodes.Name)]
public sealed class RoomFaultTests(RoomNodes nodes)
{
    private static readonly string[] Events =
    [
        "join-room", "leave-room", "get-participants", "get-room-info", "webrtc-offer", "webrtc-answer", "ice-candidate", "chatMessage", "mute-participant", "remove-participant",
        "readmit-participant", "lock-room", "unlock-room", "create-transport", "connect-transport", "produce", "consume", "close-producer", "close-consumer", "newProducer", "authenticate", "no-such-event",
    ];

    [Fact]
    public async Task Of_a_hundred_at_once_on_two_nodes_fifty_come_in()
    {
        const int People = 10;
        const int Each = 10;
        var room = RoomNodes.NewRoom();
        var guests = new List<Guest>();
        for (var number = 0; number < People; number++)
        {
            var person = await nodes.One.RegisterAsync();
            guests.AddRange(await Task.WhenAll(Enumerable.Range(0, Each).Select(one => nodes.ConnectAsync(person, one % 2 == 0 ? nodes.One : nodes.Other))));
        }

        var answers = await Task.WhenAll(guests.Select(guest => guest.AskAsync("join-room", new { roomId = room })));
        answers.Count(answer => answer["success"] is not null).Should().Be(50);
        answers.Where(answer => answer["error"] is not null).Select(answer => answer["error"]!.GetValue<string>()).Should().HaveCount(50).And.AllBe("room.full");
        var inside = guests.Zip(answers).Where(pair => pair.Second["success"] is not null).Select(pair => pair.First).ToList();
        foreach (var one in inside)
        {
            await VtpApi.UntilAsync(() => one.Client.All("peerJoined").Count + answers[guests.IndexOf(one)]["participants"]!.AsArray().Count == 50, "each to know each");
        }

        // A place that is left is free for one.
        inside[0].Close();
        await VtpApi.UntilAsync(async () => (await guests.Except(inside).First().AskAsync("join-room", new { roomId = room }))["success"] is not null, "the place to be free");
        guests.ForEach(guest => guest.Close());
    }

    [Fact]
    public async Task The_ghosts_of_a_node_that_was_killed_are_gone()
    {
        await using var living = await RoomNode.BesideAsync(nodes.One);
        await using var dying = await OwnProcessApi.BesideAsync(nodes.One);
        var room = RoomNodes.NewRoom();
        var stays = await nodes.JoinAsync(await nodes.One.RegisterAsync(), room, living);
        var ghost = await nodes.JoinAsync(await nodes.One.RegisterAsync(), room, dying);
        await stays.HearsAsync("peerJoined", ghost.Sid);

        await dying.KillAsync();
        living.Clock.Advance(TimeSpan.FromSeconds(31));
        await nodes.One.QueryAsync<int>(
            "UPDATE signaling_nodes SET seen_at = seen_at - interval '31 seconds' WHERE id = (SELECT node_id FROM signaling_places WHERE socket_id = $1)", ghost.Sid);
        await stays.HearsAsync("peerLeft", ghost.Sid);
        await VtpApi.UntilAsync(async () => await nodes.One.QueryAsync<long>("SELECT count(*) FROM signaling_places WHERE socket_id = $1", ghost.Sid) == 0, "its place to be free");
        (await stays.AskAsync("get-participants"))["count"]!.GetValue<int>().Should().Be(1);
        stays.Close();
        ghost.Close();
    }

    [Fact]
    public async Task A_node_that_was_taken_for_dead_takes_its_places_again()
    {
        var room = RoomNodes.NewRoom();
        var guest = await nodes.JoinAsync(await nodes.One.RegisterAsync(), room);
        await guest.AskAsync("lock-room");
        await nodes.One.QueryAsync<int>("DELETE FROM signaling_nodes WHERE id = (SELECT node_id FROM signaling_places WHERE socket_id = $1)", guest.Sid);
        nodes.One.Service<ITopics>().Send(new Publication("rooms", "look", "1"u8.ToArray())); // As they do by themselves.
        await VtpApi.UntilAsync(
            async () => await nodes.One.QueryAsync<long>("SELECT count(*) FROM signaling_places WHERE socket_id = $1", guest.Sid) == 1, "the place to be taken again");
        guest.Client.All("removed-from-room").Concat(guest.Client.All("room-closed")).Should().BeEmpty();
        guest.Close();
    }

    [Fact]
    public async Task A_place_that_could_not_be_given_back_is_found()
    {
        var guest = await nodes.JoinAsync(await nodes.One.RegisterAsync(), RoomNodes.NewRoom());
        var copied = await nodes.One.QueryAsync<Guid>(
            """
            INSERT INTO signaling_places (room, socket_id, organization_id, participant, is_staff, node_id, taken_at)
            SELECT room, 'orphan of ' || socket_id, organization_id, participant, is_staff, node_id, now() - interval '1 minute' FROM signaling_places WHERE socket_id = $1 RETURNING room
            """,
            guest.Sid);
        nodes.One.Service<ITopics>().Send(new Publication("rooms", "look", "1"u8.ToArray())); // As they do by themselves.
        await VtpApi.UntilAsync(async () => await nodes.One.QueryAsync<long>("SELECT count(*) FROM signaling_places WHERE room = $1", copied) == 1, "one place to be left");
        (await guest.AskAsync("chatMessage", new { text = "Still here" }))["text"].Should().NotBeNull();
        guest.Close();
    }

    [Fact]
    public async Task Who_is_no_member_any_more_is_out()
    {
        var school = await nodes.One.FoundSchoolAsync();
        var member = await nodes.One.RegisterAsync();
        await school.AddMemberAsync(member, "Viewer");
        var room = RoomNodes.NewRoom();
        var (owner, guest) = (await nodes.JoinAsync(school.Owner, room), await nodes.JoinAsync(member, room, nodes.Other));
        var started = Stopwatch.GetTimestamp();
        await school.Owner.DeleteAsync($"{school.Path}/members/{member.UserId}");
        (await guest.WaitAsync("removed-from-room"))["error"]!.GetValue<string>().Should().Be("auth.forbidden");
        await owner.HearsAsync("peerLeft", guest.Sid);
        Stopwatch.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(5));
        owner.Close();
        guest.Close();
    }

    [Fact]
    public async Task A_flood_of_one_is_refused_and_others_are_heard()
    {
        await using var node = await SecondNode.BesideAsync(
            nodes.One, ("RateLimits:signaling:Limit", "10"), ("RateLimits:signaling:Burst", "10"), ("RateLimits:signaling-chat:Limit", "1"), ("RateLimits:signaling-chat:Burst", "2"));
        var room = RoomNodes.NewRoom();
        var (loud, quiet) = (await nodes.JoinAsync(await nodes.One.RegisterAsync(), room, node), await nodes.JoinAsync(await nodes.One.RegisterAsync(), room, node));
        var candidates = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => loud.AskAsync("ice-candidate", new { to = quiet.Sid, candidate = "x" })));
        candidates.Count(answer => answer["success"] is not null).Should().BeInRange(1, 12);
        candidates.Select(answer => answer["error"]?.GetValue<string>()).Distinct(StringComparer.Ordinal).Should().BeEquivalentTo([null, "rate_limit.exceeded"]);
        var chat = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => loud.AskAsync("chatMessage", new { text = "x" })));
        chat.Count(answer => answer["text"] is not null).Should().BeInRange(1, 4);
        (await quiet.AskAsync("chatMessage", new { text = "y" }))["text"].Should().NotBeNull();
        loud.Close();
        quiet.Close();

        var (one, two) = (await nodes.JoinAsync(await nodes.One.RegisterAsync(), room), await nodes.JoinAsync(await nodes.One.RegisterAsync(), room));
        (await one.AskAsync("webrtc-offer", new { to = two.Sid, sdp = new string('x', 65_536) }))["error"]!.GetValue<string>().Should().Be("signaling.too_large");
        (await one.AskAsync("webrtc-offer", new { to = two.Sid, sdp = new string('x', 60_000) }))["success"].Should().NotBeNull();
        (await one.AskAsync("ice-candidate", new { to = two.Sid, candidate = new string('x', 17_000) }))["error"]!.GetValue<string>().Should().Be("signaling.too_large");
        (await one.AskAsync("chatMessage", new { text = new string('x', 4001) }))["errors"]!["text"].Should().NotBeNull();
        foreach (var rest in Enumerable.Range(0, 7))
        {
            (await one.AskAsync("join-room", new { roomId = $"{room} {rest}" }))["success"].Should().NotBeNull();
        }

        (await one.AskAsync("join-room", new { roomId = $"{room} 8" }))["error"]!.GetValue<string>().Should().Be("room.too_many_joined");
        one.Close();
        two.Close();
    }

    [Fact]
    public async Task Whatever_is_sent_is_answered_and_nothing_breaks()
    {
        const int Messages = 4000;
        var random = new Random(20261121);
        await using var node = await SecondNode.BesideAsync(nodes.One, ("Realtime:MessagesPerSecond", "100000"), ("Realtime:MessageBurst", "100000"));
        var person = await nodes.One.RegisterAsync();
        var room = RoomNodes.NewRoom();
        var witness = await nodes.JoinAsync(await nodes.One.RegisterAsync(), room, node);
        using var client = await RawClient.OpenAsync(node, "EIO=4&transport=websocket");
        await client.ReadAsync();
        await client.SendAsync($"40{{\"token\":\"{person.AccessToken}\"}}");
        (await client.ReadAsync()).Should().StartWith("40");
        await client.SendAsync($"420[\"join-room\",{{\"room_id\":\"{room}\"}}]");
        var answered = new HashSet<int>();
        var told = new ConcurrentQueue<string>();
        var reading = Task.Run(async () =>
        {
            while (answered.Count < Messages + 1 && await client.ReadAsync() is { } text)
            {
                if (text.StartsWith("43", StringComparison.Ordinal))
                {
                    answered.Add(int.Parse(text[2..text.IndexOf('[')], CultureInfo.InvariantCulture));
                }
                else
                {
                    told.Enqueue(text);
                }
            }
        });
        for (var number = 1; number <= Messages; number++)
        {
            var name = Events[random.Next(Events.Length)];
            await client.SendAsync($"42{number}[\"{name}\"{Arguments(random, room, witness.Sid)}]");
        }

        await reading.WaitAsync(TimeSpan.FromSeconds(60));
        answered.Should().HaveCount(Messages + 1, "each is acknowledged");
        (await witness.AskAsync("get-participants", new { room_id = room }))["count"].Should().NotBeNull();
        node.Log.Where(line => line.StartsWith("Error", StringComparison.Ordinal)).Should().BeEmpty();
        witness.Close();
    }

    /// <summary>Nothing, nearly right things, and things that are not; all of it JSON, for what is none ends the connection.</summary>
    private static string Arguments(Random random, string room, string peer)
    {
        var count = random.Next(12) switch { 0 => 0, 1 => 2, _ => 1 };
        return string.Concat(Enumerable.Range(0, count).Select(_ =>
        {
            var value = random.Next(6) == 0 ? Value(random, room, peer, 0) : Fields(random, room, peer);
            return $",{(random.Next(4) == 0 ? JsonSerializer.Serialize(value) : value)}";
        }));
    }

    private static string Fields(Random random, string room, string peer)
    {
        string[] names =
        [
            "room_id", "roomId", "to", "peerId", "participant_id", "sdp", "candidate", "data", "type", "text", "id", "timestamp", "direction", "transportId", "dtls_parameters", "kind", "rtpParameters",
            "producer_id", "rtp_capabilities", "consumerId", "full_name", "is_producer", "org_id", "user_id", "room_name", "token", "__proto__", "",
        ];
        var fields = new StringBuilder("{");
        for (var left = random.Next(6); left >= 0; left--)
        {
            fields.Append(CultureInfo.InvariantCulture, $"\"{names[random.Next(names.Length)]}\":{Value(random, room, peer, 0)}{(left == 0 ? "" : ",")}");
        }

        return fields.Append('}').ToString();
    }

    private static string Value(Random random, string room, string peer, int depth) => random.Next(depth > 3 ? 12 : 15) switch
    {
        0 => "null",
        1 => "true",
        2 => random.NextInt64(long.MinValue, long.MaxValue).ToString(CultureInfo.InvariantCulture),
        3 => "1e999",
        4 => "\"\\ud800\"",
        5 => "\"\\u0000\"",
        6 => JsonSerializer.Serialize(room),
        7 or 8 => JsonSerializer.Serialize(peer),
        9 => JsonSerializer.Serialize(new string('é', random.Next(2000))),
        10 => $"\"{Guid.NewGuid()}\"",
        11 => "\"audio\"",
        12 => $"[{Value(random, room, peer, depth + 1)},{Value(random, room, peer, depth + 1)}]",
        13 => $"{{\"a\":{Value(random, room, peer, depth + 1)},\"a\":{Value(random, room, peer, depth + 1)}}}",
        _ => $"{{\"_placeholder\":true,\"num\":{random.Next(3)}}}",
    };
}

/// <summary>A node with a clock of its own.</summary>
internal sealed class RoomNode(string database) : VtpApi, IAsyncDisposable
{
    public static async Task<RoomNode> BesideAsync(VtpApi first)
    {
        var node = new RoomNode(first.ConnectionString);
        await node.InitializeAsync();
        return node;
    }

    protected override Task<string> DatabaseAsync() => Task.FromResult(database);

    async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();
}
