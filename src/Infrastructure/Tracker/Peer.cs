using System.Net;
using Vtp.Application.Tracker;
using Vtp.Domain.Tracker;

namespace Vtp.Infrastructure.Tracker;

/// <summary>What is written down of a peer. Never changed, only replaced as a whole, so that readers need no lock.</summary>
/// <param name="RemovedAt">It was silent for too long: nobody is told of it, and its next heartbeat brings it back.</param>
internal sealed record PeerFacts(
    string? Hostname,
    Guid? Credential,
    IPAddress Address,
    int Port,
    DateTimeOffset RegisteredAt,
    bool IsOnline,
    long Uploaded,
    long Downloaded,
    DateTimeOffset? RemovedAt);

/// <summary>
/// A peer in memory. Its facts and files are changed by the journal alone; when and from where it was heard of last, by
/// every request.
/// </summary>
internal sealed class Peer(long id, Swarm swarm, string name, PeerFacts facts, IPAddress origin, DateTimeOffset lastSeen)
{
    // Of most peers a handful; made when there is one.
    private Dictionary<SharedFile, Seat>? _seats;
    private PeerFacts _facts = facts;
    private IPAddress _origin = origin;
    private SwarmPeer? _view;
    private long _lastSeen = lastSeen.UtcTicks;
    private int _isUnwritten;

    public long Id { get; } = id;

    public Swarm Swarm { get; } = swarm;

    public string Name { get; } = name;

    public PeerFacts Facts => Volatile.Read(ref _facts);

    public IPAddress Origin => Volatile.Read(ref _origin);

    public DateTimeOffset LastSeen => new(Interlocked.Read(ref _lastSeen), TimeSpan.Zero);

    public int FilesShared => Volatile.Read(ref _seats)?.Count ?? 0;

    /// <summary>As those who look for its files are told of it.</summary>
    public SwarmPeer View => Volatile.Read(ref _view) ?? MakeView();

    /// <returns>Whether that has to be written, and nobody has been told so yet.</returns>
    public bool Touch(DateTimeOffset now, IPAddress? origin)
    {
        if (origin is not null && !origin.Equals(_origin))
        {
            Volatile.Write(ref _origin, origin);
        }

        Seen(now);
        return Interlocked.Exchange(ref _isUnwritten, 1) == 0;
    }

    /// <summary>As another node has it. It never goes back.</summary>
    public void Seen(DateTimeOffset at)
    {
        var (ticks, last) = (at.UtcTicks, Interlocked.Read(ref _lastSeen));
        while (last < ticks && Interlocked.CompareExchange(ref _lastSeen, ticks, last) is var found && found != last)
        {
            last = found;
        }
    }

    /// <summary>What is heard from now on must be written again.</summary>
    public void Writing() => Interlocked.Exchange(ref _isUnwritten, 0);

    public bool Holds(SharedFile file)
    {
        if (Volatile.Read(ref _seats) is not { } seats)
        {
            return false;
        }

        lock (seats)
        {
            return seats.ContainsKey(file);
        }
    }

    public void Replace(PeerFacts facts)
    {
        var known = _facts;
        Volatile.Write(ref _facts, facts);
        if (known.Address.Equals(facts.Address) && known.Port == facts.Port && known.Hostname == facts.Hostname)
        {
            return;
        }

        Volatile.Write(ref _view, null);
        foreach (var file in _seats?.Keys ?? Enumerable.Empty<SharedFile>())
        {
            file.Forget();
        }
    }

    /// <summary>It has that file.</summary>
    public void Sit(SharedFile file)
    {
        if (_seats is null)
        {
            Volatile.Write(ref _seats, []);
        }

        var seat = new Seat(this, file);
        lock (_seats!)
        {
            if (!_seats.TryAdd(file, seat))
            {
                return;
            }
        }

        if (_facts.IsOnline)
        {
            file.Open(seat);
        }
    }

    /// <summary>The file is no more.</summary>
    public void Rise(SharedFile file)
    {
        if (_seats is null)
        {
            return;
        }

        lock (_seats)
        {
            _seats.Remove(file);
        }
    }

    /// <summary>It has nothing any more.</summary>
    /// <param name="now">For files that nobody has then.</param>
    public void RiseFromAll(DateTimeOffset now)
    {
        CloseAll(now);
        Volatile.Write(ref _seats, null);
    }

    public void OpenAll()
    {
        foreach (var seat in _seats?.Values ?? Enumerable.Empty<Seat>())
        {
            seat.File.Open(seat);
        }
    }

    /// <param name="now">For files that nobody has then.</param>
    public void CloseAll(DateTimeOffset now)
    {
        foreach (var seat in _seats?.Values ?? Enumerable.Empty<Seat>())
        {
            seat.File.Close(seat, now);
        }
    }

    public ListedPeer ToListed()
    {
        var known = Facts;
        return new ListedPeer(
            Name, known.Hostname, known.Address, known.Port, known.Credential, known.IsOnline, known.RegisteredAt, LastSeen, known.Uploaded, known.Downloaded, FilesShared);
    }

    private SwarmPeer MakeView()
    {
        var known = Facts;
        var view = new SwarmPeer(Name, PeerAddress.Text(known.Address), known.Port, known.Hostname);
        Volatile.Write(ref _view, view);
        if (!ReferenceEquals(known, Facts))
        {
            Volatile.Write(ref _view, null); // Replaced meanwhile, perhaps before it was written.
        }

        return view;
    }
}

/// <summary>One peer's place in the swarm of one file.</summary>
internal sealed class Seat(Peer peer, SharedFile file)
{
    public const int Closed = -1;

    public Peer Peer { get; } = peer;

    public SharedFile File { get; } = file;

    /// <summary>Where it stands among those that are online.</summary>
    public int Place { get; set; } = Closed;
}
