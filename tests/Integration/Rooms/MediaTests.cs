using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Rooms;

/// <summary>Media servers behind live rooms: mediasoup by its HTTP service, LiveKit by token and Twirp.</summary>
[Collection(RoomNodes.Name)]
public sealed class MediaTests(RoomNodes nodes)
{
    private static readonly object Parameters = new { codecs = new[] { new { mimeType = "audio/opus" } } };

    [Fact]
    public async Task Media_passes_through_mediasoup_and_all_others_are_told()
    {
        var room = RoomNodes.NewRoom();
        var (sender, receiver) = (await JoinAsync(room), await JoinAsync(room));
        sender.Joined["mediasoup"]!["rtpCapabilities"]!["codecs"]![0]!["mimeType"]!.GetValue<string>().Should().Be("audio/opus");
        JsonNode.DeepEquals(sender.Joined["Mediasoup"]!["RtpCapabilities"], sender.Joined["mediasoup"]!["rtpCapabilities"]).Should().BeTrue();
        receiver.Joined["mediasoup"]!["peers"]!.AsArray().Should().HaveCount(2).And.AllSatisfy(peer => peer!["email"]!.GetValue<string>().Should().BeEmpty());

        // As text, in camelCase, and the transport by its direction, as the shipped clients do.
        var transport = await sender.AskAsync("create-transport", JsonSerializer.Serialize(new { roomId = room, direction = "send" }));
        JsonNode.DeepEquals(transport, await sender.WaitAsync("transport-created")).Should().BeTrue();
        (await sender.AskAsync("connect-transport", new { roomId = room, transportId = "send", dtlsParameters = new { role = "client" } }))["transportId"]!.GetValue<string>()
            .Should().Be(transport["transportId"]!.GetValue<string>());
        var producer = await sender.AskAsync("produce", new { roomId = room, kind = "audio", rtpParameters = Parameters });
        var id = producer["id"]!.GetValue<string>();
        (await sender.WaitAsync("producer-created"))["id"]!.GetValue<string>().Should().Be(id);
        var told = await receiver.WaitAsync("newProducer");
        (told["producerId"]!.GetValue<string>(), told["peerId"]!.GetValue<string>(), told["kind"]!.GetValue<string>()).Should().Be((id, sender.Sid, "audio"));
        sender.Client.All("newProducer").Should().BeEmpty();
        (await receiver.AskAsync("consume", new { roomId = room, producerId = id, rtpCapabilities = Parameters }))["producerId"]!.GetValue<string>().Should().Be(id);
        (await receiver.WaitAsync("consumer-created"))["producerId"]!.GetValue<string>().Should().Be(id);

        var late = await JoinAsync(room);
        (await late.WaitAsync("newProducer"))["producerId"]!.GetValue<string>().Should().Be(id);
        (await sender.AskAsync("close-producer", new { producerId = id }))["producerId"]!.GetValue<string>().Should().Be(id);
        (await late.WaitAsync("producer-closed"))["peerId"]!.GetValue<string>().Should().Be(sender.Sid);

        // Who goes is gone there too, with what they sent.
        var video = (await late.AskAsync("produce", new { kind = "video", rtpParameters = Parameters }))["id"]!.GetValue<string>();
        await VtpApi.UntilAsync(() => receiver.Client.All("newProducer").Any(one => one[0]!["producerId"]!.GetValue<string>() == video), "the video to be told of");
        late.Close();
        await VtpApi.UntilAsync(() => receiver.Client.All("producer-closed").Any(one => one[0]!["producerId"]!.GetValue<string>() == video), "the video to be over");
        await VtpApi.UntilAsync(() => !nodes.Mediasoup.IsSomewhere(late.Sid), "the peer to be gone");
        sender.Close();
        receiver.Close();
    }

    [Fact]
    public async Task Nobody_touches_what_others_have_at_the_media_server()
    {
        var room = RoomNodes.NewRoom();
        var (owner, other) = (await JoinAsync(room), await JoinAsync(room));
        var transport = (await owner.AskAsync("create-transport", new { direction = "send" }))["transportId"]!.GetValue<string>();
        var producer = (await owner.AskAsync("produce", new { kind = "audio", rtpParameters = Parameters }))["id"]!.GetValue<string>();
        var consumer = (await owner.AskAsync("consume", new { producerId = producer, rtpCapabilities = Parameters }))["id"]!.GetValue<string>();
        foreach (var (name, asked) in new (string, object)[]
        {
            ("connect-transport", new { transportId = transport, dtlsParameters = new { } }),
            ("close-producer", new { producerId = producer }),
            ("close-consumer", new { consumerId = consumer }),
        })
        {
            (await other.AskAsync(name, asked))["error"]!.GetValue<string>().Should().Be("sfu.not_yours", name);
            (await owner.AskAsync(name, asked))["error"].Should().BeNull(name);
        }

        foreach (var (name, asked, field) in new (string, object, string)[]
        {
            ("create-transport", new { direction = "up" }, "direction"),
            ("produce", new { kind = "smell", rtpParameters = Parameters }, "kind"),
            ("produce", new { kind = "audio" }, "rtp_parameters"),
            ("consume", new { rtpCapabilities = Parameters }, "producer_id"),
            ("connect-transport", new { transportId = transport }, "dtls_parameters"),
        })
        {
            (await other.AskAsync(name, asked))["errors"]![field].Should().NotBeNull(name);
        }

        (await other.AskAsync("consume", new { producerId = "no-such", rtpCapabilities = Parameters }))["error"]!.GetValue<string>().Should().Be("sfu.not_found");
        owner.Close();
        other.Close();
    }

    [Theory]
    [InlineData("broken")]
    [InlineData("slow")]
    [InlineData("garbage")]
    public async Task A_media_server_that_is_away_keeps_nobody_out(string how)
    {
        await using var unit = await MediasoupDouble.StartAsync();
        await using var node = await SecondNode.BesideAsync(nodes.One, ("Sfu:MediasoupUrl", unit.Url), ("Sfu:Timeout", "00:00:00.5"));
        var gone = new TaskCompletionSource();
        unit.Before = how switch
        {
            "broken" => context => Task.FromResult(context.Response.StatusCode = 500),
            "slow" => _ => gone.Task,
            _ => context => context.Response.WriteAsync("<html>"),
        };
        var guest = await nodes.JoinAsync(await nodes.One.RegisterAsync(), RoomNodes.NewRoom(), node);
        guest.Joined["mediasoup"].Should().BeNull();
        guest.Joined["message"]!.GetValue<string>().Should().Contain("media server");
        (await guest.AskAsync("create-transport", new { direction = "send" }))["error"]!.GetValue<string>().Should().Be("sfu.away");
        (await guest.AskAsync("chatMessage", new { text = "I hear nothing" }))["text"].Should().NotBeNull();
        gone.SetResult();
        unit.Before = _ => Task.CompletedTask;
        node.Clock.Advance(TimeSpan.FromSeconds(4));
        var next = await nodes.JoinAsync(await nodes.One.RegisterAsync(), RoomNodes.NewRoom(), node);
        next.Joined["mediasoup"].Should().NotBeNull("it is asked again");
        guest.Close();
        next.Close();
    }

    [Fact]
    public async Task A_peer_that_mediasoup_knows_already_is_made_anew()
    {
        await using var unit = await MediasoupDouble.StartAsync();
        await using var node = await SecondNode.BesideAsync(nodes.One, ("Sfu:MediasoupUrl", unit.Url));
        var refusals = 0;
        unit.Before = context => Task.FromResult(context.Request.Path.Value!.EndsWith("/peers", StringComparison.Ordinal) && refusals++ == 0 ? context.Response.StatusCode = 400 : 0);
        var guest = await nodes.JoinAsync(await nodes.One.RegisterAsync(), RoomNodes.NewRoom(), node);
        guest.Joined["mediasoup"].Should().NotBeNull();
        unit.Asked.Select(asked => asked.Path.Split('/')[^1]).Should().Equal("peers", "leave", "peers");
        guest.Close();
    }

    [Fact]
    public async Task Without_a_media_server_peers_are_told_to_send_to_each_other()
    {
        var guest = await nodes.JoinAsync(await nodes.One.RegisterAsync(), RoomNodes.NewRoom());
        (guest.Joined["mediasoup"], guest.Joined["livekit"], guest.Joined["message"]).Should().Be((null, null, null));
        (await guest.AskAsync("create-transport", new { direction = "send" }))["error"]!.GetValue<string>().Should().Be("sfu.not_configured");
        guest.Close();
    }

    [Fact]
    public async Task LiveKit_is_joined_with_a_token_and_obeys_hosts()
    {
        const string Secret = "secret of LiveKit, which is long enough";
        await using var unit = await MediasoupDouble.StartAsync();
        unit.Before = async context => await context.Response.WriteAsJsonAsync(
            new { identity = "x", tracks = new object[] { new { sid = "TR_mic" }, new { sid = "TR_cam", type = "VIDEO" }, new { sid = "TR_talk", type = "AUDIO" } } });
        await using var node = await SecondNode.BesideAsync(
            nodes.One, ("LiveKit:Url", unit.Url.Replace("http:", "ws:", StringComparison.Ordinal)), ("LiveKit:ApiKey", "key"), ("LiveKit:ApiSecret", Secret));
        var room = RoomNodes.NewRoom();
        var (teacher, student) = (await nodes.JoinAsync(await nodes.One.RegisterAsync(role: "teacher"), room, node), await nodes.JoinAsync(await nodes.One.RegisterAsync(), room, node));
        teacher.Joined["livekit"]!["url"]!.GetValue<string>().Should().StartWith("ws://");
        var (mine, theirs) = (Claims(teacher.Joined["livekit"]!["token"]!.GetValue<string>(), Secret), Claims(student.Joined["livekit"]!["token"]!.GetValue<string>(), Secret));
        (mine.GetProperty("iss").GetString(), mine.GetProperty("sub").GetString()).Should().Be(("key", teacher.Sid));
        mine.GetProperty("video").GetProperty("roomAdmin").GetBoolean().Should().BeTrue();
        theirs.GetProperty("video").TryGetProperty("roomAdmin", out _).Should().BeFalse();
        theirs.GetProperty("video").GetProperty("room").GetString().Should().Be(mine.GetProperty("video").GetProperty("room").GetString()).And.NotBe(room);
        (theirs.GetProperty("exp").GetInt64() - nodes.One.Clock.GetUtcNow().ToUnixTimeSeconds()).Should().BeInRange(60, 120);
        (await student.AskAsync("produce", new { kind = "audio", rtpParameters = Parameters }))["error"]!.GetValue<string>().Should().Be("sfu.speaks_for_itself");
        (await student.AskAsync("join-room", new { roomId = room }))["livekit"]!["token"].Should().NotBeNull();

        (await teacher.AskAsync("mute-participant", new { to = student.Sid }))["success"].Should().NotBeNull();
        (await teacher.AskAsync("remove-participant", new { to = student.Sid }))["success"].Should().NotBeNull();
        unit.Asked.Select(asked => asked.Path.Split('/')[^1]).Should().Equal("GetParticipant", "MutePublishedTrack", "MutePublishedTrack", "RemoveParticipant");
        unit.Asked.Select(asked => JsonNode.Parse(asked.Body)!).Should().AllSatisfy(body => body["identity"]!.GetValue<string>().Should().Be(student.Sid));
        teacher.Close();
        student.Close();
    }

    private async Task<Guest> JoinAsync(string room) => await nodes.JoinAsync(await nodes.One.RegisterAsync(), room, nodes.Other);

    private static JsonElement Claims(string token, string secret)
    {
        var parts = token.Split('.');
        Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"))).Should().Be(parts[2]);
        return JsonSerializer.Deserialize<JsonElement>(Base64Url.DecodeFromChars(parts[1]));
    }
}
