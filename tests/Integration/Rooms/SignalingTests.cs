using System.Diagnostics;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;
using Vtp.Integration.Realtime;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Rooms;

/// <summary>What people in a live room hear of each other, on two nodes.</summary>
[Collection(RoomNodes.Name)]
public sealed class SignalingTests(RoomNodes nodes)
{
    [Fact]
    public async Task Two_people_find_each_other_talk_and_part()
    {
        var room = RoomNodes.NewRoom();
        var (noor, tariq) = (await nodes.One.RegisterAsync(), await nodes.One.RegisterAsync(role: "teacher"));
        var student = await nodes.JoinAsync(noor, room, name: "Noor H.");
        student.Present.Should().Equal(student.Sid);
        var teacher = await nodes.JoinAsync(tariq, room, nodes.Other, "Tariq");
        teacher.Joined["room_id"]!.GetValue<string>().Should().Be(room);
        teacher.Joined["participant_id"]!.GetValue<string>().Should().Be(teacher.Sid);

        var joined = await student.WaitAsync("peerJoined");
        joined["peerId"]!.GetValue<string>().Should().Be(teacher.Sid);
        joined["peerInfo"]!["name"]!.GetValue<string>().Should().Be("Tariq");
        joined["peerInfo"]!["role"]!.GetValue<string>().Should().Be("teacher");
        await VtpApi.UntilAsync(async () => (await teacher.AskAsync("get-participants"))["count"]!.GetValue<int>() == 2, "both nodes to know both");
        JsonNode.DeepEquals(await teacher.WaitAsync("joined-room"), teacher.Joined).Should().BeTrue("the event says the same as the acknowledgement");

        // Text that holds JSON, as the shipped clients send it; what it says of the sender counts for nothing.
        var lie = new { type = "offer", from = "somebody else", to = teacher.Sid, sdp = new { type = "offer", sdp = "v=0\r\no=é😀" } };
        student.Client.Emit("webrtc-offer", System.Text.Json.JsonSerializer.Serialize(lie));
        var offer = await teacher.WaitAsync("webrtc-offer");
        offer["from"]!.GetValue<string>().Should().Be(student.Sid);
        offer["sdp"]!["sdp"]!.GetValue<string>().Should().Be("v=0\r\no=é😀");
        (await teacher.AskAsync("webrtc-answer", new { to = student.Sid, sdp = "v=0", roomId = room }))["delivered"]!.GetValue<int>().Should().Be(1);
        (await student.WaitAsync("webrtc-answer"))["sdp"]!.GetValue<string>().Should().Be("v=0");
        for (var number = 0; number < 20; number++)
        {
            student.Client.Emit("ice-candidate", new { to = noor.UserId == tariq.UserId ? "" : tariq.UserId.ToString(), candidate = new { candidate = $"candidate:{number}", sdpMid = "0" } });
        }

        await teacher.Client.WaitAsync("ice-candidate", 20);
        teacher.Client.All("ice-candidate").Select(told => told[0]!["candidate"]!["candidate"]!.GetValue<string>()).Should().Equal(Enumerable.Range(0, 20).Select(number => $"candidate:{number}"));
        student.Client.All("webrtc-offer").Should().BeEmpty("nothing is echoed");

        var sent = await teacher.AskAsync("chatMessage", new { id = "mine", userId = tariq.UserId, name = "Somebody else", text = "<b>Hello</b>", timestamp = 5, roomId = room });
        var message = await student.WaitAsync("chatMessage");
        JsonNode.DeepEquals(message, sent).Should().BeTrue();
        (message["name"]!.GetValue<string>(), message["text"]!.GetValue<string>(), message["userId"]!.GetValue<Guid>(), message["roomId"]!.GetValue<string>())
            .Should().Be(("Tariq", "<b>Hello</b>", tariq.UserId, room));

        // Who comes late is told what was said.
        var late = await nodes.JoinAsync(await nodes.One.RegisterAsync(), room);
        JsonNode.DeepEquals(await late.WaitAsync("chatMessage"), message).Should().BeTrue();
        await teacher.HearsAsync("peerJoined", late.Sid);

        (await late.AskAsync("leave-room", new { room_id = room }))["success"]!.GetValue<bool>().Should().BeTrue();
        await student.HearsAsync("peerLeft", late.Sid);
        teacher.Close();
        await student.HearsAsync("peerLeft", teacher.Sid);
        (await student.AskAsync("webrtc-offer", new { to = teacher.Sid, sdp = "v=0" }))["error"]!.GetValue<string>().Should().Be("room.participant_not_found");
        (await late.AskAsync("get-participants", new { room_id = room }))["error"]!.GetValue<string>().Should().Be("room.not_joined");
        student.Close();
        late.Close();
        await VtpApi.UntilAsync(async () => await nodes.One.QueryAsync<long>("SELECT count(*) FROM signaling_rooms WHERE name_id = $1", room) == 0, "an empty room to end");
    }

    [Fact]
    public async Task Participants_have_the_names_of_both_kinds_of_clients_and_no_mail_address_of_others()
    {
        var room = RoomNodes.NewRoom();
        var (noor, tariq) = (await nodes.One.RegisterAsync(), await nodes.One.RegisterAsync(role: "teacher"));
        var teacher = await nodes.JoinAsync(tariq, room);
        var student = await nodes.JoinAsync(noor, room);

        var seen = student.Joined["participants"]!.AsArray().Single(one => one!["SocketID"]!.GetValue<string>() == teacher.Sid)!;
        seen.AsObject().Select(field => field.Key).Should().BeEquivalentTo(
            "SocketID", "UserID", "Email", "FullName", "Role", "IsProducer", "IsConsumer", "JoinedAt",
            "socket_id", "user_id", "email", "full_name", "role", "is_producer", "is_consumer", "is_host", "joined_at");
        (seen["UserID"]!.GetValue<Guid>(), seen["FullName"]!.GetValue<string>(), seen["Email"]!.GetValue<string>()).Should().Be((tariq.UserId, "Noor Example", ""));
        (seen["JoinedAt"]!.GetValue<long>() % 1000).Should().Be(0);
        (await teacher.WaitAsync("peerJoined"))["participant"]!["Email"]!.GetValue<string>().Should().Be(noor.Email);
        var info = await teacher.AskAsync("get-room-info", new { roomId = room });
        info["peerCount"]!.GetValue<int>().Should().Be(2);
        info["peers"]!.AsArray().Select(peer => peer!["email"]!.GetValue<string>()).Should().BeEquivalentTo(noor.Email, tariq.Email);
        student.Close();
        teacher.Close();
    }

    [Fact]
    public async Task Who_somebody_is_comes_from_their_credential_alone()
    {
        var (noor, tariq) = (await nodes.One.RegisterAsync(), await nodes.One.RegisterAsync(role: "teacher"));
        var guest = await nodes.ConnectAsync(noor, space: "/signaling");
        var refused = await guest.AskAsync("join-room", new { room_id = RoomNodes.NewRoom(), user_id = tariq.UserId });
        refused["error"]!.GetValue<string>().Should().Be("room.identity_differs");
        refused["errors"]!["user_id"].Should().NotBeNull();
        var joined = await guest.AskAsync("join-room", JsonNode.Parse($$"""{"room_id":"{{RoomNodes.NewRoom()}}","user_id":"{{noor.UserId}}","email":"{{tariq.Email}}","role":"admin"}""")!.ToJsonString());
        var self = joined["participants"]![0]!;
        (self["Role"]!.GetValue<string>(), self["Email"]!.GetValue<string>()).Should().Be(("student", noor.Email));
        (await guest.AskAsync("chatMessage", new { userId = tariq.UserId, text = "I am Tariq" }))["error"]!.GetValue<string>().Should().Be("room.identity_differs");

        foreach (var bad in new object?[] { null, 5, "no json", "{\"room_id\":", new { }, new { room_id = "" }, new { room_id = new string('x', 129) }, new { room_id = "a\u0001b" }, new { room_id = "fine", full_name = "a\u202Fb\n" } })
        {
            (await guest.Client.AskAsync("join-room", bad))[0]!["error"].Should().NotBeNull($"{bad}");
        }

        guest.Client.Emit("join-room", "{}");
        (await guest.WaitAsync("error"))["error"]!.GetValue<string>().Should().Be("request.invalid");
        guest.Close();

        var nobody = nodes.Clients.Open(nodes.One, auth: new { });
        (await nobody.WaitAsync("connect_error"))[0]!["data"]!["error"]!.GetValue<string>().Should().Be("auth.required");
        nobody.Close();
    }

    [Fact]
    public async Task A_room_of_one_organization_is_unknown_in_another()
    {
        var room = RoomNodes.NewRoom();
        var (ours, theirs) = (await nodes.One.FoundSchoolAsync(), await nodes.One.FoundSchoolAsync());
        var mine = await nodes.JoinAsync(ours.Owner, room);
        var other = await nodes.JoinAsync(theirs.Owner, room, nodes.Other);
        var single = await nodes.JoinAsync(await nodes.One.RegisterAsync(), room);
        (mine.Present.Count, other.Present.Count, single.Present.Count).Should().Be((1, 1, 1));
        (await other.AskAsync("webrtc-offer", new { to = mine.Sid, sdp = "v=0" }))["error"]!.GetValue<string>().Should().Be("room.participant_not_found");
        (await other.AskAsync("remove-participant", new { to = ours.Owner.UserId }))["error"]!.GetValue<string>().Should().Be("room.participant_not_found");
        await mine.AskAsync("chatMessage", new { text = "Ours" });

        // By name, for who belongs to both; not to who does not.
        await theirs.AddMemberAsync(ours.Owner, "Viewer");
        var both = await nodes.ConnectAsync(ours.Owner);
        (await both.AskAsync("join-room", new { room_id = room }))["errors"]!["org_id"].Should().NotBeNull();
        (await both.AskAsync("join-room", new { roomId = room, orgId = theirs.Id }))["participants"]!.AsArray().Should().HaveCount(2);
        var handshake = await nodes.ConnectAsync(ours.Owner, auth: new { token = ours.Owner.AccessToken, orgId = ours.Id });
        (await handshake.AskAsync("join-room", new { roomId = room }))["participants"]!.AsArray().Should().HaveCount(2);
        (await other.AskAsync("join-room", new { roomId = room, orgId = ours.Id }))["error"]!.GetValue<string>().Should().Be("organization.not_found");

        // A program is in its project's organization.
        var project = await ours.CreateProjectAsync();
        var program = await nodes.ConnectAsync(ours.Owner, auth: new { apiKey = project.Secret });
        (await program.AskAsync("join-room", new { roomId = room }))["participants"]!.AsArray().Should().HaveCount(3);
        other.Client.All("chatMessage").Concat(single.Client.All("chatMessage")).Concat(both.Client.All("chatMessage")).Should().BeEmpty();
        foreach (var guest in new[] { mine, other, single, both, handshake, program })
        {
            guest.Close();
        }
    }

    [Fact]
    public async Task A_host_mutes_removes_and_locks_and_nobody_else_does()
    {
        var room = RoomNodes.NewRoom();
        var people = new[] { await nodes.One.RegisterAsync(role: "teacher"), await nodes.One.RegisterAsync(), await nodes.One.RegisterAsync() };
        var teacher = await nodes.JoinAsync(people[0], room);
        var noor = await nodes.JoinAsync(people[1], room, nodes.Other);
        var rami = await nodes.JoinAsync(people[2], room);
        var again = await nodes.JoinAsync(people[2], room, nodes.Other);
        await teacher.HearsAsync("peerJoined", noor.Sid);
        await rami.HearsAsync("peerJoined", again.Sid);

        foreach (var name in new[] { "mute-participant", "remove-participant", "lock-room", "unlock-room", "readmit-participant" })
        {
            (await noor.AskAsync(name, new { to = name == "readmit-participant" ? people[2].UserId.ToString() : rami.Sid }))["error"]!.GetValue<string>().Should().Be("room.host_needed", name);
        }

        await teacher.AskAsync("mute-participant", new { to = noor.Sid });
        (await noor.WaitAsync("mute-requested"))["from"]!.GetValue<string>().Should().Be(teacher.Sid);

        (await teacher.AskAsync("lock-room"))["success"]!.GetValue<bool>().Should().BeTrue();
        (await noor.WaitAsync("room-locked"))["room_id"]!.GetValue<string>().Should().Be(room);
        var outside = await nodes.ConnectAsync(await nodes.One.RegisterAsync());
        (await outside.AskAsync("join-room", new { roomId = room }))["error"]!.GetValue<string>().Should().Be("room.locked");
        await teacher.AskAsync("unlock-room");
        await noor.WaitAsync("room-unlocked");
        (await outside.AskAsync("join-room", new { roomId = room }))["success"]!.GetValue<bool>().Should().BeTrue();

        // With all of their sockets, on both nodes, and until they are readmitted.
        (await teacher.AskAsync("remove-participant", new { to = rami.Sid }))["success"]!.GetValue<bool>().Should().BeTrue();
        (await rami.WaitAsync("removed-from-room"))["error"]!.GetValue<string>().Should().Be("room.removed");
        await again.WaitAsync("removed-from-room");
        await noor.HearsAsync("peerLeft", rami.Sid);
        await noor.HearsAsync("peerLeft", again.Sid);
        (await noor.WaitAsync("participant-removed"))["user_id"]!.GetValue<Guid>().Should().Be(people[2].UserId);
        (await rami.AskAsync("chatMessage", new { text = "Still here?" }))["error"]!.GetValue<string>().Should().Be("room.not_joined");
        (await rami.AskAsync("join-room", new { roomId = room }))["error"]!.GetValue<string>().Should().Be("room.removed");
        (await teacher.AskAsync("readmit-participant", new { to = people[2].UserId }))["success"]!.GetValue<bool>().Should().BeTrue();
        (await rami.AskAsync("join-room", new { roomId = room }))["success"]!.GetValue<bool>().Should().BeTrue();
        (await nodes.One.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'room.participant_removed' AND actor_id = $1", people[0].UserId)).Should().Be(1);
        foreach (var guest in new[] { teacher, noor, rami, again, outside })
        {
            guest.Close();
        }
    }

    [Fact]
    public async Task Who_opens_a_room_is_its_host_and_still_no_match_for_a_teacher()
    {
        var room = RoomNodes.NewRoom();
        var (first, second, teacher) = (await nodes.JoinAsync(await nodes.One.RegisterAsync(), room), await nodes.JoinAsync(await nodes.One.RegisterAsync(), room), await nodes.JoinAsync(await nodes.One.RegisterAsync(role: "teacher"), room));
        (await first.AskAsync("remove-participant", new { to = teacher.Sid }))["error"]!.GetValue<string>().Should().Be("room.staff_stays");
        (await first.AskAsync("mute-participant", new { to = teacher.Sid }))["error"]!.GetValue<string>().Should().Be("room.staff_stays");
        (await first.AskAsync("mute-participant", new { to = second.Sid }))["success"]!.GetValue<bool>().Should().BeTrue();
        (await first.AskAsync("remove-participant", new { peerId = second.Sid }))["success"]!.GetValue<bool>().Should().BeTrue();
        await second.WaitAsync("removed-from-room");
        await using var strict = await SecondNode.BesideAsync(nodes.One, ("Signaling:StudentsOpenRooms", "false"));
        var student = await nodes.ConnectAsync(await nodes.One.RegisterAsync(), strict);
        (await student.AskAsync("join-room", new { roomId = RoomNodes.NewRoom() }))["error"]!.GetValue<string>().Should().Be("room.not_open");
        (await student.AskAsync("join-room", new { roomId = room }))["success"]!.GetValue<bool>().Should().BeTrue();
        foreach (var guest in new[] { first, second, teacher, student })
        {
            guest.Close();
        }
    }

    [Fact]
    public async Task The_example_of_the_guide_calls_who_is_there_and_answers_who_comes()
    {
        var guide = await File.ReadAllTextAsync(SocketClients.Repository("docs/rooms.md"));
        var example = guide[(guide.IndexOf("```js", StringComparison.Ordinal) + 5)..];
        example = example[..example.IndexOf("```", StringComparison.Ordinal)];
        var work = Directory.CreateTempSubdirectory("vtp-rooms-");
        try
        {
            Directory.CreateSymbolicLink(Path.Combine(work.FullName, "node_modules"), SocketClients.Repository("tests/clients/node_modules"));
            await File.WriteAllTextAsync(
                Path.Combine(work.FullName, "example.mjs"),
                $$"""
                const [url, token] = process.argv.slice(2);
                const offerTo = async () => 'an offer';
                const answerTo = async (from, sdp) => `an answer to ${sdp}`;
                const addCandidate = () => {};
                let accepted;
                const accept = (from, sdp) => { accepted = sdp; };
                const forget = () => { console.log(accepted); process.exit(accepted ? 0 : 2); };
                {{example}}
                setTimeout(() => process.exit(1), 20_000);
                """);
            var waiting = await nodes.JoinAsync(await nodes.One.RegisterAsync(), "algebra-4b");
            var person = await nodes.One.RegisterAsync();
            using var node = Process.Start(new ProcessStartInfo("node", [Path.Combine(work.FullName, "example.mjs"), nodes.Other.Url.GetLeftPart(UriPartial.Authority), person.AccessToken])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            })!;
            var offer = await waiting.WaitAsync("webrtc-offer");
            var caller = offer["from"]!.GetValue<string>();
            await waiting.AskAsync("webrtc-answer", new { to = caller, sdp = "accepted" });
            await waiting.AskAsync("webrtc-offer", new { to = caller, sdp = "another" });
            (await waiting.WaitAsync("webrtc-answer"))["sdp"]!.GetValue<string>().Should().Be("an answer to another");
            waiting.Close();
            (await node.StandardOutput.ReadToEndAsync()).Trim().Should().Be("accepted");
            await node.WaitForExitAsync();
            node.ExitCode.Should().Be(0);
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }
}
