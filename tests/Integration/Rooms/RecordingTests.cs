using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Vtp.Integration.Fixture;
using Vtp.Integration.Realtime;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Rooms;

/// <summary>Live rooms are recorded by LiveKit's egress service, which a double stands for; its own SDK reads what the double was sent.</summary>
[Collection(RoomNodes.Name)]
public sealed class RecordingTests(RoomNodes nodes) : IAsyncLifetime
{
    private readonly ConcurrentQueue<JsonObject> _told = new();
    private MediasoupDouble _liveKit = null!;
    private SecondNode _node = null!;
    private readonly string _egress = $"EG_{Guid.NewGuid():N}";
    private int _egresses;

    // How the egress service answers; 200 and an egress unless a test says otherwise.
    private Func<HttpContext, Task>? _answer;

    public async Task InitializeAsync()
    {
        _liveKit = await MediasoupDouble.StartAsync();
        _liveKit.Before = TakeAsync;
        _node = await SecondNode.BesideAsync(
            nodes.One,
            ("LiveKit:Url", _liveKit.Url.Replace("http:", "ws:", StringComparison.Ordinal)),
            ("LiveKit:ApiKey", LiveKitSender.Key),
            ("LiveKit:ApiSecret", LiveKitSender.Secret),
            ("LiveKit:RecordingsPath", "/recordings"));
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _liveKit.DisposeAsync();
    }

    [Fact]
    public async Task A_teacher_records_all_who_are_there_are_told_and_the_file_is_known_in_the_end()
    {
        var room = RoomNodes.NewRoom();
        var (teacher, student) = (await _node.RegisterAsync(role: "teacher"), await _node.RegisterAsync());
        var guest = await nodes.JoinAsync(student, room, nodes.One);
        guest.Joined["is_recorded"]!.GetValue<bool>().Should().BeFalse();

        var started = await RecordAsync(teacher, room);
        (started.Status, started["status"]).Should().Be((HttpStatusCode.OK, "started"));
        var id = started["sessionId"];
        (await guest.WaitAsync("recording-started"))["sessionId"]!.GetValue<string>().Should().Be(id);
        var late = await nodes.JoinAsync(await _node.RegisterAsync(), room, _node);
        late.Joined["is_recorded"]!.GetValue<bool>().Should().BeTrue();
        (await RecordAsync(teacher, room)).Error.Should().Be("room.recorded");
        (await teacher.GetAsync($"signalling/room/stats?room_id={Uri.EscapeDataString(room)}"))["recording_session_id"].Should().Be(id, "who lost the answer finds it");
        (await teacher.GetAsync($"streaming/sessions/{id}"))["status"].Should().Be("recording");

        var stopped = await teacher.PostAsync($"streaming/sessions/{id}/stop-record");
        (stopped.Status, stopped["sessionId"], stopped["status"]).Should().Be((HttpStatusCode.OK, id, "stopped"));
        (await guest.WaitAsync("recording-stopped"))["session_id"]!.GetValue<string>().Should().Be(id);
        (await teacher.PostAsync($"streaming/sessions/{id}/stop-record"))["status"].Should().Be("stopped", "twice is as once");
        Told("StopEgress").Should().ContainSingle().Which["egress_id"]!.GetValue<string>().Should().Be(Egress(1));

        // As LiveKit tells it, while the next one begins; and again, and what it had said before last of all.
        (await RecordAsync(teacher, room)).Status.Should().Be(HttpStatusCode.OK, "one after the other is fine");
        var done = EgressEvent("egress_ended", Egress(1), id, "EGRESS_COMPLETE");
        (await SendAsync(done)).Status.Should().Be(HttpStatusCode.OK);
        (await SendAsync(done)).Status.Should().Be(HttpStatusCode.OK);
        (await SendAsync(EgressEvent("egress_updated", Egress(1), id, "EGRESS_ENDING"))).Status.Should().Be(HttpStatusCode.OK);
        var details = await teacher.GetAsync($"streaming/sessions/{id}");
        (details["status"], details["file"], details["size_bytes"], details["duration_seconds"], details["room_id"])
            .Should().Be(("completed", "/recordings/x.mp4", "52428800", "61.5", room));

        (await nodes.One.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE action LIKE 'room.recording_%' AND target_name = $1", room)).Should().BeGreaterThanOrEqualTo(3, "a repeat and a refusal are there too");
        guest.Close();
        late.Close();
    }

    [Fact]
    public async Task What_LiveKit_is_sent_its_own_SDK_understands()
    {
        var room = RoomNodes.NewRoom();
        var teacher = await _node.RegisterAsync(role: "teacher");
        var guest = await nodes.JoinAsync(teacher, room, _node);
        await RecordAsync(teacher, room);
        (await teacher.DeleteAsync($"signalling/room/delete?room_id={Uri.EscapeDataString(room)}")).Status.Should().Be(HttpStatusCode.OK);
        await VtpApi.UntilAsync(() => Told("StopEgress").Any(), "the recording of a room that is over to be stopped");
        var joined = new JsonObject { ["path"] = "join", ["body"] = null, ["token"] = guest.Joined["livekit"]!["token"]!.GetValue<string>() };

        var understood = await ReadBySdkAsync([joined, .. _told]);

        understood.Select(one => one!["method"]!.GetValue<string>()).Should().Equal("join", "StartRoomCompositeEgress", "DeleteRoom", "StopEgress");
        var live = understood[0]!["video"]!["room"]!.GetValue<string>();
        var (record, delete, stop) = (understood[1]!, understood[2]!, understood[3]!);
        record["video"]!["roomRecord"]!.GetValue<bool>().Should().BeTrue();
        record["message"]!["roomName"]!.GetValue<string>().Should().Be(live);
        record["message"]!["fileOutputs"]![0]!["fileType"]!.GetValue<string>().Should().Be("MP4");
        record["message"]!["fileOutputs"]![0]!["filepath"]!.GetValue<string>().Should().MatchRegex("^/recordings/[0-9a-f-]{36}/[0-9a-f-]{36}\\.mp4$");
        (delete["video"]!["roomCreate"]!.GetValue<bool>(), delete["message"]!["room"]!.GetValue<string>()).Should().Be((true, live));
        stop["message"]!["egressId"]!.GetValue<string>().Should().Be(Egress(1));
        guest.Close();
    }

    [Fact]
    public async Task Of_many_who_record_a_room_at_once_one_does()
    {
        var room = RoomNodes.NewRoom();
        var teacher = await _node.RegisterAsync(role: "teacher");
        var guest = await nodes.JoinAsync(teacher, room, _node);

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => RecordAsync(teacher, room)));

        answers.Count(answer => answer.Status == HttpStatusCode.OK).Should().Be(1);
        answers.Where(answer => answer.Status != HttpStatusCode.OK).Should().AllSatisfy(answer => answer.Error.Should().Be("room.recorded"));
        Told("StartRoomCompositeEgress").Should().ContainSingle();
        guest.Close();
    }

    [Fact]
    public async Task Nobody_records_but_staff_of_the_room_and_nobody_else_knows_of_it()
    {
        var (ours, theirs) = (await _node.FoundSchoolAsync(), await _node.FoundSchoolAsync());
        var room = RoomNodes.NewRoom();
        var student = await _node.RegisterAsync();
        var guest = await nodes.JoinAsync(student, room, _node);
        (await RecordAsync(student, room)).Error.Should().Be("room.recorded_by_staff", "who opened it is its host, and a student");
        (await _node.SendAsync(HttpMethod.Post, PathOf(room))).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await RecordAsync(ours.Owner, room)).Status.Should().Be(HttpStatusCode.NotFound);

        await ours.Owner.PostAsync("signalling/room/create", new { room_id = room });
        var project = await ours.CreateProjectAsync();
        (await _node.WithKeyAsync(HttpMethod.Post, PathOf(room), project.Key)).Status.Should().Be(HttpStatusCode.Forbidden);
        var started = await _node.WithKeyAsync(HttpMethod.Post, PathOf(room), project.Secret);
        started.Status.Should().Be(HttpStatusCode.OK);
        var reader = (await ours.Owner.PostAsync($"{project.Path}/keys", new { name = "Reads", scopes = new[] { "rooms:read" } }))["key"];
        (await _node.WithKeyAsync(HttpMethod.Get, $"streaming/sessions/{started["sessionId"]}", reader)).Status.Should().Be(HttpStatusCode.OK);
        (await _node.WithKeyAsync(HttpMethod.Post, $"streaming/sessions/{started["sessionId"]}/stop-record", reader)).Status.Should().Be(HttpStatusCode.Forbidden);
        foreach (var stranger in new[] { theirs.Owner, student, await _node.RegisterAsync(role: "teacher") })
        {
            (await stranger.GetAsync($"streaming/sessions/{started["sessionId"]}")).Error.Should().Be("room.recording_not_found");
            (await stranger.PostAsync($"streaming/sessions/{started["sessionId"]}/stop-record")).Error.Should().Be("room.recording_not_found");
        }

        (await ours.Owner.PostAsync($"streaming/sessions/{started["sessionId"]}/stop-record")).Status.Should().Be(HttpStatusCode.OK);
        guest.Close();
    }

    [Fact]
    public async Task What_the_media_server_refuses_or_does_not_answer_leaves_nothing_behind()
    {
        var room = RoomNodes.NewRoom();
        var teacher = await _node.RegisterAsync(role: "teacher");
        await teacher.PostAsync("signalling/room/create", new { room_id = room });
        _answer = context => AnswerAsync(context, 404, new { code = "not_found", msg = "requested room does not exist" });
        (await RecordAsync(teacher, room)).Error.Should().Be("sfu.nobody_sends");
        _answer = context => AnswerAsync(context, 503, new { code = "unavailable", msg = "no response from servers" });
        var away = await RecordAsync(teacher, room);
        (away.Status, away.Error).Should().Be((HttpStatusCode.ServiceUnavailable, "sfu.away"));
        away.Headers.RetryAfter.Should().NotBeNull();
        _answer = null;
        _node.Clock.Advance(TimeSpan.FromSeconds(5));
        var started = await RecordAsync(teacher, room);
        started.Status.Should().Be(HttpStatusCode.OK);

        _answer = context => AnswerAsync(context, 503, new { code = "unavailable" });
        (await teacher.PostAsync($"streaming/sessions/{started["sessionId"]}/stop-record")).Error.Should().Be("sfu.away");
        (await teacher.GetAsync($"streaming/sessions/{started["sessionId"]}"))["status"].Should().Be("recording", "it still is");
        _answer = context => AnswerAsync(context, 401, new { code = "unauthenticated" });
        _node.Clock.Advance(TimeSpan.FromSeconds(5));
        (await teacher.PostAsync($"streaming/sessions/{started["sessionId"]}/stop-record")).Error.Should().Be("sfu.refused");
        _answer = context => AnswerAsync(context, 412, new { code = "failed_precondition", msg = "egress with status EGRESS_COMPLETE cannot be stopped" });
        _node.Clock.Advance(TimeSpan.FromSeconds(5));
        (await teacher.PostAsync($"streaming/sessions/{started["sessionId"]}/stop-record"))["status"].Should().Be("stopped");
        _answer = null;

        // Without LiveKit.
        var other = RoomNodes.NewRoom();
        await teacher.PostAsync("signalling/room/create", new { room_id = other });
        foreach (var node in new[] { nodes.One, nodes.Other })
        {
            var refused = await node.SendAsync(HttpMethod.Post, PathOf(other), token: teacher.AccessToken);
            (refused.Status, refused.Error).Should().Be((HttpStatusCode.UnprocessableEntity, "sfu.cannot_record"));
        }

        (await teacher.GetAsync($"signalling/room/stats?room_id={Uri.EscapeDataString(other)}")).Body.GetProperty("recording_session_id").ValueKind.Should().Be(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_recording_whose_node_died_before_it_knew_the_egress_is_found_by_what_LiveKit_tells_or_given_up()
    {
        var teacher = await _node.RegisterAsync(role: "teacher");
        var (told, silent) = (RoomNodes.NewRoom(), RoomNodes.NewRoom());
        foreach (var room in new[] { told, silent })
        {
            await teacher.PostAsync("signalling/room/create", new { room_id = room });
            await nodes.One.QueryAsync<int>(
                "INSERT INTO room_recordings (id, organization_id, room, room_id, status, started_by, started_at) SELECT gen_random_uuid(), organization_id, id, name_id, 'starting', created_by, $2 FROM signaling_rooms WHERE name_id = $1",
                room,
                _node.Clock.GetUtcNow());
        }

        var guest = await nodes.JoinAsync(await _node.RegisterAsync(), told, _node);
        guest.Joined["is_recorded"]!.GetValue<bool>().Should().BeFalse("it may never begin");
        var id = await nodes.One.QueryAsync<Guid>("SELECT id FROM room_recordings WHERE room_id = $1", told);
        await SendAsync(EgressEvent("egress_started", Egress(0), id.ToString(), status: null));
        (await guest.WaitAsync("recording-started"))["sessionId"]!.GetValue<string>().Should().Be(id.ToString());
        guest.Close();
        (await teacher.PostAsync($"streaming/sessions/{id}/stop-record"))["status"].Should().Be("stopped");
        Told("StopEgress").Should().ContainSingle().Which["egress_id"]!.GetValue<string>().Should().Be(Egress(0));

        (await RecordAsync(teacher, silent)).Error.Should().Be("room.recorded");
        _node.Clock.Advance(TimeSpan.FromSeconds(61));
        await VtpApi.UntilAsync(async () => (await RecordAsync(teacher, silent)).Status == HttpStatusCode.OK, "the one that never began to be given up");
        (await nodes.One.QueryAsync<long>("SELECT count(*) FROM room_recordings WHERE room_id = $1 AND status = 'failed'", silent)).Should().Be(1);
    }

    [Fact]
    public async Task A_recording_that_fails_by_itself_is_over_for_all_and_one_of_a_room_that_is_over_is_stopped()
    {
        var room = RoomNodes.NewRoom();
        var teacher = await _node.RegisterAsync(role: "teacher");
        var guest = await nodes.JoinAsync(teacher, room, _node);
        var failed = (await RecordAsync(teacher, room))["sessionId"];
        await SendAsync(EgressEvent("egress_ended", Egress(1), failed, "EGRESS_FAILED"));
        (await guest.WaitAsync("recording-stopped"))["session_id"]!.GetValue<string>().Should().Be(failed);
        var details = await teacher.GetAsync($"streaming/sessions/{failed}");
        (details["status"], details["error"]).Should().Be(("failed", "Disk full"));

        var left = (await RecordAsync(teacher, room))["sessionId"];
        guest.Close();
        await VtpApi.UntilAsync(async () => (await teacher.GetAsync($"streaming/sessions/{left}"))["status"] == "stopped", "the recording to end with its room");
        Told("StopEgress").Select(told => told["egress_id"]!.GetValue<string>()).Should().Contain(Egress(2));
    }

    [Fact]
    public async Task A_recording_that_is_stopped_before_it_began_does_not_go_on()
    {
        var room = RoomNodes.NewRoom();
        var teacher = await _node.RegisterAsync(role: "teacher");
        var guest = await nodes.JoinAsync(teacher, room, _node);
        var gate = new TaskCompletionSource();
        _answer = async context =>
        {
            await gate.Task;
            await AnswerAsync(context, 200, new { egress_id = Egress(3) });
        };
        var starting = RecordAsync(teacher, room);
        await VtpApi.UntilAsync(() => Told("StartRoomCompositeEgress").Any(), "the media server to be asked");
        var id = await nodes.One.QueryAsync<Guid>("SELECT id FROM room_recordings WHERE room_id = $1", room);

        (await teacher.PostAsync($"streaming/sessions/{id}/stop-record"))["status"].Should().Be("stopped");
        gate.SetResult();

        (await starting).Error.Should().Be("room.recording_stopped");
        Told("StopEgress").First()["egress_id"]!.GetValue<string>().Should().Be(Egress(3));
        (await nodes.One.QueryAsync<string>("SELECT status || runs FROM room_recordings WHERE id = $1", id)).Should().Be("stoppedfalse");
        guest.Client.All("recording-started").Should().BeEmpty();
        guest.Close();
    }

    private string Egress(int number) => $"{_egress}-{number.ToString(CultureInfo.InvariantCulture)}";

    [Fact]
    public async Task Of_a_media_server_that_did_not_answer_what_began_all_the_same_is_stopped()
    {
        var room = RoomNodes.NewRoom();
        var teacher = await _node.RegisterAsync(role: "teacher");
        var guest = await nodes.JoinAsync(teacher, room, _node);
        _answer = context => AnswerAsync(context, 408, new { code = "deadline_exceeded" });
        (await RecordAsync(teacher, room)).Error.Should().Be("sfu.away");
        var id = await nodes.One.QueryAsync<Guid>("SELECT id FROM room_recordings WHERE room_id = $1", room);
        (await teacher.GetAsync($"streaming/sessions/{id}"))["status"].Should().Be("failed");

        _node.Clock.Advance(TimeSpan.FromSeconds(5));
        _answer = context => AnswerAsync(context, 503, new { code = "unavailable" });
        await SendAsync(EgressEvent("egress_started", Egress(7), id.ToString(), status: null));
        await VtpApi.UntilAsync(() => Told("StopEgress").Any(), "it to be told to stop");
        (await nodes.One.QueryAsync<bool>("SELECT runs FROM room_recordings WHERE id = $1", id)).Should().BeTrue("it has not heard");
        _answer = null;
        _node.Clock.Advance(TimeSpan.FromSeconds(5));
        await VtpApi.UntilAsync(async () => !await nodes.One.QueryAsync<bool>("SELECT runs FROM room_recordings WHERE id = $1", id), "it to be stopped");

        Told("StopEgress").Should().HaveCountGreaterThan(1).And.AllSatisfy(told => told["egress_id"]!.GetValue<string>().Should().Be(Egress(7)));
        guest.Client.All("recording-started").Should().BeEmpty();
        (await RecordAsync(teacher, room)).Status.Should().Be(HttpStatusCode.OK);
        guest.Close();
    }

    private static string PathOf(string room) => $"streaming/rooms/{Uri.EscapeDataString(room)}/record";

    private Task<Answer> RecordAsync(Person person, string room) => _node.SendAsync(HttpMethod.Post, PathOf(room), token: person.AccessToken);

    private Task<Answer> SendAsync(string body) => new LiveKitSender(_node).SendAsync(body);

    private IEnumerable<JsonNode> Told(string method) =>
        _told.Where(told => told["path"]!.GetValue<string>().EndsWith($"/{method}", StringComparison.Ordinal)).Select(told => JsonNode.Parse(told["body"]!.GetValue<string>())!);

    private async Task TakeAsync(HttpContext context)
    {
        var (path, body) = _liveKit.Asked.Last();
        if (path.EndsWith("/StopEgress", StringComparison.Ordinal) && !body.Contains(_egress, StringComparison.Ordinal))
        {
            return; // Another test's, whose room is over: any node may stop it.
        }

        _told.Enqueue(new JsonObject { ["path"] = path, ["body"] = body, ["token"] = context.Request.Headers.Authorization.ToString()["Bearer ".Length..] });
        if (_answer is { } answer)
        {
            await answer(context);
            return;
        }

        await AnswerAsync(context, 200, path.EndsWith("/StartRoomCompositeEgress", StringComparison.Ordinal)
            ? new { egress_id = Egress(Interlocked.Increment(ref _egresses)), status = "EGRESS_STARTING" }
            : new { });
    }

    private static Task AnswerAsync(HttpContext context, int status, object answer)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(answer);
    }

    private static string EgressEvent(string name, string egress, string recording, string? status)
    {
        var asked = new JsonObject { ["fileOutputs"] = new JsonArray(new JsonObject { ["filepath"] = $"/recordings/school/{recording}.mp4" }) };
        var info = new JsonObject { ["egressId"] = egress, ["roomName"] = "any", ["roomComposite"] = asked, ["endedAt"] = "1795240800000000000" };
        if (status is not null)
        {
            info["status"] = status;
        }

        if (status == "EGRESS_COMPLETE")
        {
            info["fileResults"] = new JsonArray(new JsonObject { ["filename"] = "/recordings/x.mp4", ["size"] = "52428800", ["duration"] = "61500000000" });
        }

        if (status == "EGRESS_FAILED")
        {
            info["error"] = "Disk full";
        }

        return new JsonObject { ["event"] = name, ["id"] = $"EV_{Guid.NewGuid():N}", ["egressInfo"] = info }.ToJsonString();
    }

    private static async Task<JsonArray> ReadBySdkAsync(IEnumerable<JsonObject> told)
    {
        var start = new ProcessStartInfo("node", ["livekit.mjs", LiveKitSender.Key, LiveKitSender.Secret])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = SocketClients.Repository("tests/clients"),
        };
        using var node = Process.Start(start)!;
        await node.StandardInput.WriteAsync(new JsonArray([.. told.Select(one => one.DeepClone())]).ToJsonString());
        node.StandardInput.Close();
        var (output, errors) = (node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
        await node.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        node.ExitCode.Should().Be(0, await errors);
        return JsonNode.Parse(await output)!.AsArray();
    }
}
