using System.Collections.Concurrent;
using System.Text.Json;
using Vtp.Api.Http;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Realtime;
using Vtp.Application.Rooms.Signaling;

namespace Vtp.Api.Realtime.Signaling;

/// <summary>One socket in one room. It is told who comes and goes, each once, in whatever order the nodes hear of it.</summary>
internal sealed class Seat(Socket socket, RoomJoined joined)
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal) { socket.Id };
    private List<PresenceChangedEventArgs>? _waiting = [];

    public Socket Socket { get; } = socket;

    public LiveRoom Room { get; } = joined.Room;

    public Participant Participant { get; } = joined.Participant;

    public bool IsStaff { get; } = joined.IsStaff;

    /// <summary>What the media server said when it joined there; null where there is none, or it was away.</summary>
    public SfuSession? Session { get; set; }

    /// <summary>What it sends through the media server.</summary>
    public ConcurrentDictionary<string, byte> Producers { get; } = new(StringComparer.Ordinal);

    /// <summary>Its own at the media server, by direction. Only its handlers, one at a time, use this and what it receives.</summary>
    public Dictionary<string, string> Transports { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Consumers { get; } = new(StringComparer.Ordinal);

    public string ProducersTopic => ProducersOf(Room);

    public string ChatTopic => LiveRoom.ChatTopicOf(Room.Room);

    public string OwnTopic => TopicOf(Socket.Id);

    public static string ProducersOf(LiveRoom room) => $"{room.Topic}:producers";

    /// <summary>What is for one participant alone.</summary>
    public string TopicOf(string socketId) => $"{Room.Topic}:{socketId}";

    /// <summary>First what there is, then what has happened meanwhile, then what happens.</summary>
    public void Begin(IReadOnlyList<PresentMember> peers, IReadOnlyList<PresentMember> producers, Action tell)
    {
        lock (_lock)
        {
            _known.UnionWith(peers.Select(peer => peer.Id));
            tell();
            foreach (var producer in producers)
            {
                Tell(new PresenceChangedEventArgs(ProducersTopic, producer, hasEntered: true));
            }

            foreach (var change in _waiting ?? [])
            {
                Tell(change);
            }

            _waiting = null;
        }
    }

    public void Changed(PresenceChangedEventArgs change)
    {
        lock (_lock)
        {
            if (_waiting is null)
            {
                Tell(change);
            }
            else
            {
                _waiting.Add(change);
            }
        }
    }

    private void Tell(PresenceChangedEventArgs change)
    {
        var (id, isPeer) = (change.Member.Id, change.Topic == Room.Topic);
        if (id == Socket.Id || !(change.HasEntered ? _known.Add(id) : _known.Remove(id)))
        {
            return;
        }

        if (!isPeer)
        {
            var producer = JsonSerializer.Deserialize<Producer>(change.Member.Data.Span, Json.Options)!;
            if (producer.PeerId != Socket.Id)
            {
                object told = change.HasEntered ? new { producerId = id, peerId = producer.PeerId, kind = producer.Kind, roomId = Room.Key.Id } : new { producerId = id, peerId = producer.PeerId, roomId = Room.Key.Id };
                Socket.Emit(change.HasEntered ? "newProducer" : "producer-closed", Said(told), []);
            }
        }
        else if (change.HasEntered)
        {
            var peer = Participant.Read(change.Member.Data);
            Socket.Emit("peerJoined", Said(new { peerId = id, peerInfo = new { name = peer.FullName, role = peer.Role, userId = peer.UserId, isProducer = peer.IsProducer }, roomId = Room.Key.Id, participant = peer.View(Participant.IsHost) }), []);
        }
        else
        {
            Socket.Emit("peerLeft", Said(new { peerId = id, roomId = Room.Key.Id }), []);
        }
    }

    /// <summary>Names as they are written here.</summary>
    private static byte[] Said(object told) => JsonSerializer.SerializeToUtf8Bytes(told, AsWritten);

    private static readonly JsonSerializerOptions AsWritten = new(Json.Options) { PropertyNamingPolicy = null };
}

/// <summary>Something that a peer sends through the media server.</summary>
internal sealed record Producer(string PeerId, string Kind);

/// <summary>What signaling keeps of one socket.</summary>
/// <param name="organization">That it named when it connected.</param>
internal sealed class SignalingState(Guid? organization)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Seat> _seats = [];
    private bool _isOver;

    public Guid? Organization { get; } = organization;

    public IReadOnlyList<Seat> Seats
    {
        get
        {
            lock (_lock)
            {
                return [.. _seats.Values];
            }
        }
    }

    /// <returns>False: the socket has gone meanwhile.</returns>
    public bool Add(Seat seat)
    {
        lock (_lock)
        {
            return !_isOver && _seats.TryAdd(seat.Room.Room, seat);
        }
    }

    /// <summary>Whoever is given the seat clears it away.</summary>
    public Seat? Take(Guid room)
    {
        lock (_lock)
        {
            return _seats.Remove(room, out var seat) ? seat : null;
        }
    }

    public IReadOnlyList<Seat> TakeAll()
    {
        lock (_lock)
        {
            _isOver = true;
            Seat[] all = [.. _seats.Values];
            _seats.Clear();
            return all;
        }
    }
}
