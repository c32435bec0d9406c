using System.Net;
using Vtp.Infrastructure.Rooms;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Rooms;

/// <summary>Live rooms by requests.</summary>
[Collection(RoomNodes.Name)]
public sealed class RoomRouteTests(RoomNodes nodes)
{
    [Fact]
    public async Task A_created_room_stays_is_never_made_twice_and_ends_when_it_is_deleted()
    {
        var (teacher, student, stranger) = (await nodes.One.RegisterAsync(role: "teacher"), await nodes.One.RegisterAsync(), await nodes.One.RegisterAsync());
        var room = RoomNodes.NewRoom();
        (await student.PostAsync("signalling/room/create", new { room_id = room })).Status.Should().Be(HttpStatusCode.Forbidden);
        var created = await teacher.PostAsync("signalling/room/create", new { roomId = room, room_name = "Algebra", max_participants = 1 });
        (created.Status, created.Body.GetProperty("success").GetBoolean(), created["room_id"]).Should().Be((HttpStatusCode.Created, true, room));
        var guest = await nodes.JoinAsync(student, room, nodes.Other);
        var again = await teacher.PostAsync("signalling/room/create", new { room_id = room });
        (again.Status, again.Error).Should().Be((HttpStatusCode.Conflict, "room.exists"));
        (await (await nodes.ConnectAsync(stranger)).AskAsync("join-room", new { room_id = room }))["error"]!.GetValue<string>().Should().Be("room.full");

        var path = Uri.EscapeDataString(room);
        await VtpApi.UntilAsync(async () => (await teacher.GetAsync($"signalling/room/stats?room_id={path}"))["participant_count"] == "1", "the node to know who is there");
        var stats = await teacher.GetAsync($"signalling/room/stats?room_id={path}");
        (stats["name"], stats["producer_count"], stats["max_participants"]).Should().Be(("Algebra", "1", "1"));
        stats.Body.GetProperty("participants")[0].GetProperty("Email").GetString().Should().Be(student.Email);
        (await student.GetAsync($"signalling/room/stats?room_id={path}")).Status.Should().Be(HttpStatusCode.OK);
        (await stranger.GetAsync($"signalling/room/stats?room_id={path}")).Status.Should().Be(HttpStatusCode.NotFound);
        (await stranger.GetAsync($"streaming/rooms/{path}/participants")).Status.Should().Be(HttpStatusCode.NotFound);
        (await student.GetAsync($"streaming/rooms/{path}/participants")).Body[0].GetProperty("UserID").GetGuid().Should().Be(student.UserId);
        (await student.GetAsync("signalling/rooms/stats")).Status.Should().Be(HttpStatusCode.Forbidden);
        var list = await teacher.GetAsync("signalling/rooms/stats");
        list.Body.GetProperty("rooms").GetArrayLength().Should().Be(list.Body.GetProperty("count").GetInt32());
        list.Text.Should().Contain(room);
        int.Parse((await student.GetAsync("signalling/health"))["active_rooms"], System.Globalization.CultureInfo.InvariantCulture).Should().BePositive();
        (await student.DeleteAsync($"signalling/room/delete?room_id={path}")).Error.Should().Be("room.host_needed");

        await guest.AskAsync("leave-room");
        (await guest.AskAsync("join-room", new { room_id = room }))["room_name"]!.GetValue<string>().Should().Be("Algebra", "it stays when it is empty");
        (await teacher.DeleteAsync($"signalling/room/delete?room_id={path}")).Status.Should().Be(HttpStatusCode.OK);
        (await guest.WaitAsync("room-closed"))["room_id"]!.GetValue<string>().Should().Be(room);
        (await guest.AskAsync("chatMessage", new { text = "x" }))["error"]!.GetValue<string>().Should().Be("room.not_joined");
        (await teacher.DeleteAsync($"signalling/room/delete?room_id={path}")).Status.Should().Be(HttpStatusCode.NotFound);
        guest.Close();
    }

    [Fact]
    public async Task Nobody_without_a_credential_sees_or_makes_rooms_and_bad_ids_are_named()
    {
        foreach (var (method, path) in new[]
        {
            (HttpMethod.Get, "signalling/health"), (HttpMethod.Get, "signalling/room/stats?room_id=x"), (HttpMethod.Get, "signalling/rooms/stats"), (HttpMethod.Post, "signalling/room/create"),
            (HttpMethod.Delete, "signalling/room/delete?room_id=x"), (HttpMethod.Get, "streaming/rooms/x/participants"),
        })
        {
            (await nodes.One.SendAsync(method, path, method == HttpMethod.Post ? new { room_id = "x" } : null)).Status.Should().Be(HttpStatusCode.Unauthorized, path);
        }

        var teacher = await nodes.One.RegisterAsync(role: "teacher");
        (await teacher.GetAsync("signalling/room/stats")).Body.GetProperty("errors").GetProperty("room_id").GetArrayLength().Should().Be(1);
        (await teacher.PostAsync("signalling/room/create", new { room_id = "a\nb" })).Body.GetProperty("errors").TryGetProperty("room_id", out _).Should().BeTrue();
    }

    [Fact]
    public async Task Rooms_of_another_organization_do_not_exist_and_keys_do_what_their_scopes_say()
    {
        var (ours, theirs) = (await nodes.One.FoundSchoolAsync(), await nodes.One.FoundSchoolAsync());
        var room = RoomNodes.NewRoom();
        var path = Uri.EscapeDataString(room);
        (await ours.Owner.PostAsync("signalling/room/create", new { room_id = room })).Status.Should().Be(HttpStatusCode.Created);
        foreach (var query in new[] { "", $"&org_id={ours.Id}" })
        {
            (await theirs.Owner.GetAsync($"signalling/room/stats?room_id={path}{query}")).Status.Should().Be(HttpStatusCode.NotFound);
            (await theirs.Owner.DeleteAsync($"signalling/room/delete?room_id={path}{query}")).Status.Should().Be(HttpStatusCode.NotFound);
            (await theirs.Owner.GetAsync($"streaming/rooms/{path}/participants?{query}")).Status.Should().Be(HttpStatusCode.NotFound);
        }

        (await theirs.Owner.GetAsync("signalling/rooms/stats")).Text.Should().NotContain(room);
        (await theirs.Owner.PostAsync("signalling/room/create", new { room_id = room })).Status.Should().Be(HttpStatusCode.Created, "of theirs");

        var project = await ours.CreateProjectAsync();
        (await nodes.One.WithKeyAsync(HttpMethod.Get, $"signalling/room/stats?room_id={path}", project.Secret)).Status.Should().Be(HttpStatusCode.OK);
        (await nodes.One.WithKeyAsync(HttpMethod.Get, $"signalling/room/stats?room_id={path}", project.Key)).Status.Should().Be(HttpStatusCode.Forbidden);
        (await nodes.One.WithKeyAsync(HttpMethod.Delete, $"signalling/room/delete?room_id={path}&org_id={theirs.Id}", project.Secret)).Status.Should().Be(HttpStatusCode.NotFound);
        (await nodes.One.WithKeyAsync(HttpMethod.Delete, $"signalling/room/delete?room_id={path}", project.Secret)).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_created_room_in_which_nobody_was_is_forgotten_after_a_day()
    {
        var teacher = await nodes.One.RegisterAsync(role: "teacher");
        var room = RoomNodes.NewRoom();
        await teacher.PostAsync("signalling/room/create", new { room_id = room });
        await nodes.One.QueryAsync<int>("UPDATE signaling_rooms SET empty_since = now() - interval '25 hours' WHERE name_id = $1", room);
        await nodes.One.Service<SignalingRooms>().SignAsync(TimeSpan.FromHours(24), CancellationToken.None); // As each node does by itself.
        (await nodes.One.QueryAsync<long>("SELECT count(*) FROM signaling_rooms WHERE name_id = $1", room)).Should().Be(0);
    }
}
