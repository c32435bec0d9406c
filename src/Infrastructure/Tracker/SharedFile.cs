using System.Security.Cryptography;
using Vtp.Application.Tracker;
using Vtp.Domain.Tracker;

namespace Vtp.Infrastructure.Tracker;

/// <summary>A file in memory: what it is, and which peers have it and are online. Its chunks' digests are on disk alone.</summary>
internal sealed class SharedFile(
    long id,
    Swarm swarm,
    ContentHash hash,
    string name,
    long size,
    int chunkSize,
    int chunkCount,
    ContentHash fingerprint,
    ContentHash? merkleRoot,
    string addedBy,
    DateTimeOffset addedAt,
    DateTimeOffset seededAt)
{
    private readonly List<Seat> _open = [];
    private volatile WeakReference<HolderSample>? _sample; // Weak, so that what is asked for seldom does not stay in memory.
    private ListedFile? _listed;
    private int _version;
    private long _seededAt = seededAt.UtcTicks;

    public long Id { get; } = id;

    public Swarm Swarm { get; } = swarm;

    public ContentHash Hash { get; } = hash;

    public string Name { get; } = name;

    public long Size { get; } = size;

    public int ChunkSize { get; } = chunkSize;

    public int ChunkCount { get; } = chunkCount;

    public ContentHash Fingerprint { get; } = fingerprint;

    public ContentHash? MerkleRoot { get; } = merkleRoot;

    public string Category { get; } = FileCategory.Of(name);

    public string AddedBy { get; } = addedBy;

    public DateTimeOffset AddedAt { get; } = addedAt;

    /// <summary>What the disk has for <see cref="SeededAt"/>.</summary>
    public DateTimeOffset SeededAtOnDisk { get; set; } = seededAt;

    public int Seeders => _open.Count;

    /// <summary>When the last seeder left, while there is none.</summary>
    public DateTimeOffset SeededAt => new(Interlocked.Read(ref _seededAt), TimeSpan.Zero);

    public void Open(Seat seat)
    {
        lock (_open)
        {
            if (seat.Place == Seat.Closed)
            {
                seat.Place = _open.Count;
                _open.Add(seat);
                Changed();
            }
        }
    }

    public void Close(Seat seat, DateTimeOffset now)
    {
        lock (_open)
        {
            if (seat.Place == Seat.Closed)
            {
                return;
            }

            // The last one takes its place.
            var last = _open[^1];
            (_open[seat.Place], last.Place) = (last, seat.Place);
            _open.RemoveAt(_open.Count - 1);
            seat.Place = Seat.Closed;
            Changed();
        }

        Interlocked.Exchange(ref _seededAt, now.UtcTicks);
    }

    /// <summary>Who asks from now on is told of its peers as they are then.</summary>
    public void Forget()
    {
        lock (_open)
        {
            Changed();
        }
    }

    /// <summary>
    /// Of more than the limit, one of each stretch of the list, so that each peer is as likely as any other. A few who ask
    /// one after the other are told the same, unless the swarm has changed between them.
    /// </summary>
    public HolderSample Sample(int limit, TimeProvider clock)
    {
        if (_sample is { } weak && weak.TryGetTarget(out var known) && known.Limit == limit && known.IsGoodForAnother(clock))
        {
            return known;
        }

        Span<byte> seed = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(seed);
        var random = BitConverter.ToUInt64(seed);
        Peer[] picked;
        int version;
        lock (_open)
        {
            // No longer than it takes to pick them: all who ask for this file come through here.
            version = _version;
            picked = new Peer[Math.Min(limit, _open.Count)];
            var first = picked.Length == 0 ? 0 : (int)(random % (ulong)picked.Length);
            for (var index = 0; index < picked.Length; index++)
            {
                var (from, to) = ((int)((long)index * _open.Count / picked.Length), (int)((long)(index + 1) * _open.Count / picked.Length));
                random = Next(random);
                picked[(first + index) % picked.Length] = _open[from + (int)(random % (ulong)(to - from))].Peer;
            }
        }

        var sample = new HolderSample(Array.ConvertAll(picked, static peer => peer.View), limit, clock.GetTimestamp());
        lock (_open)
        {
            if (version == _version)
            {
                _sample = new WeakReference<HolderSample>(sample);
            }
        }

        return sample;
    }

    public ListedFile ToListed() => _listed is { } known && known.Seeders == Seeders ? known : _listed = new(Id, Hash, Name, Size, ChunkSize, ChunkCount, Category, AddedBy, AddedAt, Seeders);

    private void Changed()
    {
        _version++;
        _sample = null;
    }

    /// <summary>SplitMix64, of a seed that nobody can guess.</summary>
    private static ulong Next(ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
        return state ^ (state >> 31);
    }
}
