using System.Collections.Concurrent;
using System.Threading.Channels;
using Vtp.Application.Realtime;
using Vtp.Application.Rooms.Signaling;
using Vtp.Application.Tenancy;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Api.Realtime.Signaling;

/// <summary>
/// The seats of this node. Tells each who comes and goes, as presence says it of all nodes; and looks, when a host did something
/// and every few seconds, whether each has still its place in the room.
/// </summary>
internal sealed partial class LiveRooms : BackgroundService, ITopicFollower
{
    private const string ControlTopic = "rooms";
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(8);

    private readonly ISignalingRooms _rooms;
    private readonly IPresence _presence;
    private readonly ITopics _topics;
    private readonly ISelectiveForwardingUnit _sfu;
    private readonly IMemberships _memberships;
    private readonly IEventWatch _watch;
    private readonly TimeProvider _clock;
    private readonly ILogger<LiveRooms> _logger;
    private readonly ConcurrentDictionary<Guid, ConcurrentDictionary<string, (Seat Seat, SignalingState State)>> _seats = new();
    private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public LiveRooms(
        ISignalingRooms rooms,
        IPresence presence,
        ITopics topics,
        ISelectiveForwardingUnit sfu,
        IMemberships memberships,
        IEventWatch watch,
        TimeProvider clock,
        ILogger<LiveRooms> logger)
    {
        (_rooms, _presence, _topics, _sfu, _memberships, _watch, _clock, _logger) = (rooms, presence, topics, sfu, memberships, watch, clock, logger);
        presence.Changed += OnChanged;
        watch.Seen += OnSeen;
    }

    string ITopicFollower.Id => ControlTopic;

    public override void Dispose()
    {
        _presence.Changed -= OnChanged;
        _watch.Seen -= OnSeen;
        base.Dispose();
    }

    /// <summary>Shown to all from now on.</summary>
    /// <param name="state">Of its socket.</param>
    /// <param name="seat">With its topics followed.</param>
    /// <param name="tell">The socket, who is there, before it is told anything else of the room.</param>
    /// <returns>False: the socket has gone meanwhile, or was in the room already.</returns>
    public bool Begin(SignalingState state, Seat seat, Action<IReadOnlyList<PresentMember>> tell)
    {
        if (!state.Add(seat))
        {
            return false;
        }

        _seats.GetOrAdd(seat.Room.Room, _ => new(StringComparer.Ordinal))[seat.Socket.Id] = (seat, state);
        _presence.Enter(seat.Room.Topic, seat.Socket.Id, seat.Participant.Write());
        var (peers, producers) = (_presence.List(seat.Room.Topic), _presence.List(seat.ProducersTopic));
        seat.Begin(peers, producers, () => tell(peers));
        return true;
    }

    /// <summary>Of a seat that <see cref="SignalingState.Take"/> has given. What cannot be given back now is found later.</summary>
    public async Task EndAsync(Seat seat)
    {
        if (_seats.TryGetValue(seat.Room.Room, out var others) && others.TryRemove(seat.Socket.Id, out _) && others.IsEmpty)
        {
            _seats.TryRemove(KeyValuePair.Create(seat.Room.Room, others));
        }

        foreach (var producer in seat.Producers.Keys)
        {
            _presence.Leave(seat.ProducersTopic, producer);
        }

        _presence.Leave(seat.Room.Topic, seat.Socket.Id);
        if (seat.Socket.IsConnected)
        {
            foreach (var topic in new[] { seat.Room.Topic, seat.OwnTopic, seat.ChatTopic })
            {
                await seat.Socket.LeaveAsync(topic, CancellationToken.None);
            }
        }

        await Task.WhenAll(
            _rooms.LeaveAsync(seat.Room.Key.Organization, seat.Room.Room, seat.Socket.Id, CancellationToken.None),
            _sfu.LeaveAsync(seat.Room.Room, seat.Socket.Id, CancellationToken.None));
    }

    /// <summary>Out of the room, and told why.</summary>
    public async Task SendOutAsync(Seat seat, SignalingState state, Refusal why)
    {
        if (state.Take(seat.Room.Room) is not { } taken)
        {
            return;
        }

        var name = why == RoomRefusals.NotFound ? "room-closed" : "removed-from-room";
        taken.Socket.Emit(name, new { room_id = taken.Room.Key.Id, error = why.Code, message = why.Detail });
        await EndAsync(taken);
    }

    /// <summary>Who is no member any more is in no room of that organization.</summary>
    public async Task CheckAsync(Seat seat, SignalingState state, CancellationToken cancellationToken)
    {
        if (seat.Room.Key.Organization != OrganizationId.Installation && seat.Socket.Caller?.Person is { } person
            && await _memberships.FindAsync(person.AccountId, seat.Room.Key.Organization, cancellationToken) is not { IsDeleted: false })
        {
            await SendOutAsync(seat, state, Refusal.Forbidden);
        }
    }

    void ITopicFollower.Deliver(TopicMessage message, Mark? mark) => Wake();

    void ITopicFollower.Missed(string topic) => Wake();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var session = _topics.Open(this);
        await using var timer = _clock.CreateTimer(static rooms => ((LiveRooms)rooms!).Wake(), this, Every, Every);
        var isFollowing = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                isFollowing = isFollowing || await session.JoinAsync(new TopicInterest(ControlTopic), since: null, stoppingToken);
                await LookAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }

            await _wakes.Reader.ReadAsync(stoppingToken);
        }
    }

    /// <summary>Also when all has ended: a timer may have fired just before.</summary>
    private void Wake() => _wakes.Writer.TryWrite(true);

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var all = _seats.Values.SelectMany(room => room.Values).ToDictionary(one => (one.Seat.Room.Room, one.Seat.Socket.Id));
        await Parallel.ForEachAsync(
            await _rooms.LostAsync(all.Keys, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken },
            async (lost, stopping) => await ReturnAsync(all[lost].Seat, all[lost].State, stopping));
    }

    /// <summary>This node was silent for so long that the others took it for dead; or the place was taken from them.</summary>
    private async Task ReturnAsync(Seat seat, SignalingState state, CancellationToken cancellationToken)
    {
        var entry = new RoomEntry(seat.Room.Key, seat.Socket.Id, seat.Participant.UserId, seat.IsStaff, IsReturn: true, IfAbsent: null);
        if (!(await _rooms.EnterAsync(entry, cancellationToken)).TryGet(out var room, out var refusal))
        {
            await SendOutAsync(seat, state, refusal);
            return;
        }

        var isSame = room.Room == seat.Room.Room;
        if (!isSame || !state.Seats.Contains(seat))
        {
            await _rooms.LeaveAsync(room.Key.Organization, room.Room, seat.Socket.Id, cancellationToken); // Another room of the same id, or it left meanwhile.
        }

        if (!isSame)
        {
            await SendOutAsync(seat, state, RoomRefusals.NotFound);
        }
    }

    /// <summary>It must not wait: presence is locked meanwhile.</summary>
    private void OnChanged(object? sender, PresenceChangedEventArgs change)
    {
        if (RoomOf(change.Topic) is not { } room || !_seats.TryGetValue(room, out var seats))
        {
            return;
        }

        foreach (var (seat, _) in seats.Values)
        {
            seat.Changed(change);
        }
    }

    private void OnSeen(object? sender, EventSeenEventArgs seen)
    {
        if (!_seats.IsEmpty && (seen.Type.StartsWith("member.", StringComparison.Ordinal) || seen.Type.StartsWith("organization.", StringComparison.Ordinal)))
        {
            _ = AskAgainAsync(seen.Organization);
        }
    }

    private async Task AskAgainAsync(Guid organization)
    {
        try
        {
            await Task.Yield();
            foreach (var (seat, state) in _seats.Values.SelectMany(room => room.Values).Where(one => one.Seat.Room.Key.Organization.Value == organization))
            {
                await CheckAsync(seat, state, CancellationToken.None);
            }
        }
        catch (Exception exception)
        {
            LogFailed(exception); // Each is asked again within half a minute.
        }
    }

    private static Guid? RoomOf(string topic) =>
        topic.StartsWith("room:", StringComparison.Ordinal) && topic.Length >= 41 && Guid.TryParseExact(topic.AsSpan(5, 36), "D", out var room) ? room : null;

    [LoggerMessage(Level = LogLevel.Warning, Message = "It could not be found out whether participants still have their places; trying again shortly")]
    private partial void LogFailed(Exception exception);
}
