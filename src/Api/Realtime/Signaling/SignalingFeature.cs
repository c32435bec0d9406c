using System.Text.Json;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Common;
using Vtp.Application.Realtime;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Api.Realtime.Signaling;

/// <summary>
/// Live rooms: who is there, and what they say to each other until their media flows. Events and their fields: docs/rooms.md.
/// </summary>
internal sealed partial class SignalingFeature : SocketFeature<SignalingState>
{
    private const int MaximumRooms = 8;

    private readonly LiveRooms _live;
    private readonly ISignalingRooms _rooms;
    private readonly IPresence _presence;
    private readonly ITopics _topics;
    private readonly ISelectiveForwardingUnit _sfu;
    private readonly IRateLimiter _limiter;
    private readonly TimeProvider _clock;

    public SignalingFeature(
        LiveRooms live, ISignalingRooms rooms, IPresence presence, ITopics topics, ISelectiveForwardingUnit sfu, IRateLimiter limiter, TimeProvider clock)
    {
        (_live, _rooms, _presence, _topics, _sfu, _limiter, _clock) = (live, rooms, presence, topics, sfu, limiter, clock);
        On("join-room", JoinAsync);
        In("leave-room", LeaveAsync);
        In("get-participants", ListAsync);
        In("get-room-info", TellRoomAsync);
        foreach (var (name, kind) in new[] { ("webrtc-offer", "offer"), ("webrtc-answer", "answer"), ("ice-candidate", "ice-candidate") })
        {
            On(name, (socket, state, happened, cancellationToken) => RelayAsync(name, kind, socket, state, happened, cancellationToken));
        }

        In("chatMessage", ChatAsync, RateLimitPolicies.SignalingChat);
        AddHostControls();
        AddMedia();
    }

    public override IReadOnlyCollection<string> Namespaces => ["/", "/signaling"];

    protected override ValueTask<SignalingState?> ConnectAsync(Socket socket, JsonElement auth, CancellationToken cancellationToken)
    {
        Guid? organization = null;
        foreach (var name in new[] { "org_id", "orgId" })
        {
            if (auth.ValueKind == JsonValueKind.Object && auth.TryGetProperty(name, out var value) && Guid.TryParse(SocketEvent.TextOf(value), out var id))
            {
                organization ??= id;
            }
        }

        return ValueTask.FromResult<SignalingState?>(new SignalingState(organization));
    }

    /// <summary>Who may not go on in a room is sent out of it, and stays connected.</summary>
    protected override async ValueTask<bool> MayGoOnAsync(Socket socket, SignalingState state, CancellationToken cancellationToken)
    {
        foreach (var seat in state.Seats)
        {
            await _live.CheckAsync(seat, state, cancellationToken);
        }

        return true;
    }

    protected override async ValueTask DisconnectedAsync(Socket socket, SignalingState state, string reason)
    {
        foreach (var seat in state.TakeAll())
        {
            await _live.EndAsync(seat);
        }
    }

    private async ValueTask<SocketReply> JoinAsync(Socket socket, SignalingState state, SocketEvent happened, CancellationToken cancellationToken)
    {
        if (!happened.Payload<JoinRoomCommand>().TryGet(out var asked, out var malformed))
        {
            return new(null, malformed);
        }

        asked = asked with { SocketId = socket.Id, OrgId = asked.OrgId ?? state.Organization };
        var seats = state.Seats;
        if (seats.Count >= MaximumRooms && !seats.Any(seat => seat.Room.Key.Id == asked.RoomId))
        {
            return new(null, RoomRefusals.TooManyOfSocket);
        }

        // To its end, also when the client goes meanwhile: a place that is taken is given back.
        if (!(await socket.SendAsync(asked, CancellationToken.None)).TryGet(out var joined, out var refusal))
        {
            return new(null, refusal);
        }

        if (seats.FirstOrDefault(seat => seat.Room.Room == joined.Room.Room) is { } again)
        {
            if (again.Session?.Url is not null)
            {
                again.Session = (await UnitAsync(again, cancellationToken)).Session; // The token of the first time has expired.
            }

            return Welcome(again, _presence.List(again.Room.Topic), note: null);
        }

        var fresh = new Seat(socket, joined);
        var isSeated = false;
        try
        {
            if (await FollowAsync(fresh, cancellationToken) is { } full)
            {
                return new(null, full);
            }

            if (joined.Room.Key.Organization != OrganizationId.Installation)
            {
                await _topics.PlaceOfAsync(0, cancellationToken); // From now on this node hears of members who lose their part.
            }

            (fresh.Session, var note) = await UnitAsync(fresh, cancellationToken);
            SocketReply answer = default;
            isSeated = _live.Begin(state, fresh, peers => answer = Welcome(fresh, peers, note));
            if (isSeated)
            {
                await FollowChatAsync(fresh, cancellationToken);
            }

            return answer;
        }
        finally
        {
            if (!isSeated)
            {
                await _live.EndAsync(fresh);
            }
        }
    }

    private static async ValueTask<Refusal?> FollowAsync(Seat seat, CancellationToken cancellationToken)
    {
        foreach (var topic in new[] { seat.Room.Topic, seat.OwnTopic })
        {
            if (!(await seat.Socket.JoinAsync(new TopicInterest(topic), since: null, cancellationToken)).TryGet(out _, out var refusal))
            {
                return refusal;
            }
        }

        return null;
    }

    /// <summary>Who comes late is told what was said before, as far as it is kept.</summary>
    private async Task FollowChatAsync(Seat seat, CancellationToken cancellationToken)
    {
        // What is the oldest may be forgotten between the question and the joining.
        for (var turn = 0; turn < 3; turn++)
        {
            if (!(await seat.Socket.JoinAsync(new TopicInterest(seat.ChatTopic), _topics.KeptSince(seat.ChatTopic), cancellationToken)).TryGet(out var joined, out _) || joined.Recovered)
            {
                return;
            }
        }
    }

    /// <summary>The media server may be away: the room works without it, and the client is told.</summary>
    private async Task<(SfuSession? Session, string? Note)> UnitAsync(Seat seat, CancellationToken cancellationToken)
    {
        var who = seat.Participant;
        var asked = await _sfu.JoinAsync(
            new SfuPeer(seat.Room.Room, seat.Room.Name, seat.Socket.Id, who.UserId, Email: "", who.FullName, who.Role, seat.IsStaff, who.IsProducer), cancellationToken);
        return asked is null ? (null, null)
            : asked.TryGet(out var session, out var refusal) ? (session, null)
            : (null, refusal.Detail);
    }

    /// <summary>The event <c>joined-room</c>, and the same as the acknowledgement.</summary>
    private static SocketReply Welcome(Seat seat, IReadOnlyList<PresentMember> peers, string? note)
    {
        var json = new SignalJson()
            .Add("success", true)
            .Add("room_id", seat.Room.Key.Id)
            .Add("room_name", seat.Room.Name)
            .Add("is_locked", seat.Room.IsLocked)
            .Add("is_recorded", seat.Room.Recording is not null)
            .Add("participant_id", seat.Socket.Id)
            .Add("participants", Views(seat, peers));
        if (note is not null)
        {
            json.Add("message", note);
        }

        if (seat.Session is { RtpCapabilities: { } capabilities } session)
        {
            var there = session.Peers ?? JsonElement.Parse("[]");
            json.Add("mediasoup", new Dictionary<string, object>(StringComparer.Ordinal) { ["rtpCapabilities"] = capabilities, ["peers"] = there });
            json.Add("Mediasoup", new Dictionary<string, object>(StringComparer.Ordinal) { ["RtpCapabilities"] = capabilities, ["Peers"] = there });
        }
        else if (seat.Session is { Url: { } url, Token: { } token })
        {
            json.Add("livekit", new { url, token });
        }

        return Say(seat.Socket, "joined-room", json);
    }

    private ValueTask<SocketReply> LeaveAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken) =>
        state.Take(seat.Room.Room) is { } taken ? EndAsync(taken) : ValueTask.FromResult(new SocketReply(null, RoomRefusals.NotIn));

    private async ValueTask<SocketReply> EndAsync(Seat seat)
    {
        await _live.EndAsync(seat);
        return new(new { success = true, room_id = seat.Room.Key.Id }, null);
    }

    private ValueTask<SocketReply> ListAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken)
    {
        var views = Views(seat, _presence.List(seat.Room.Topic));
        return ValueTask.FromResult(Say(seat.Socket, "participants-list", new SignalJson().Add("room_id", seat.Room.Key.Id).Add("participants", views).Add("count", views.Length)));
    }

    private ValueTask<SocketReply> TellRoomAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken)
    {
        var peers = Views(seat, _presence.List(seat.Room.Topic)).Select(view => new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["peerId"] = view.SocketId,
            ["userId"] = view.UserId,
            ["email"] = view.Email,
            ["fullName"] = view.FullName,
            ["role"] = view.Role,
            ["isProducer"] = view.IsProducer,
        }).ToList();
        return ValueTask.FromResult(Say(
            seat.Socket,
            "room-info",
            new SignalJson().Add("roomId", seat.Room.Key.Id).Add("name", seat.Room.Name).Add("peerCount", peers.Count).Add("peers", peers).Add("createdAt", seat.Room.CreatedAt)));
    }

    private static ParticipantView[] Views(Seat seat, IReadOnlyList<PresentMember> members) =>
    [
        .. members.Select(member => Participant.Read(member.Data)).OrderBy(one => one.JoinedAt).ThenBy(one => one.SocketId, StringComparer.Ordinal)
            .Select(one => one.View(seat.Participant.IsHost || one.UserId == seat.Participant.UserId)),
    ];

    private static SocketReply Say(Socket socket, string name, SignalJson json)
    {
        var data = json.Done();
        socket.Emit(name, data.Span, []);
        return SocketReply.Raw([JsonElement.Parse(data.Span)], []);
    }
}
