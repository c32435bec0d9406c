using System.Collections.Concurrent;
using Vtp.Application.Tracker;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;

namespace Vtp.Infrastructure.Tracker;

/// <summary>All peers and files of one project. Peers of another project are in another one, and never meet these.</summary>
internal sealed class Swarm(OrganizationId organization, ProjectId project)
{
    private static readonly TimeSpan TopIsKept = TimeSpan.FromSeconds(2);
    private const int MostTop = 100;

    private Order? _newestFirst;
    private long _filesVersion;
    private int _online;
    private int _removed;
    private Top? _top;

    public OrganizationId Organization { get; } = organization;

    public ProjectId Project { get; } = project;

    public ConcurrentDictionary<string, Peer> Peers { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<ContentHash, SharedFile> Files { get; } = new();

    // Its own count takes all locks of a dictionary.
    private int _peers;
    private int _files;

    public int PeersKnown => Volatile.Read(ref _peers);

    public int FilesKnown => Volatile.Read(ref _files);

    public TrackerCounts Counts => new(Volatile.Read(ref _online), PeersKnown - Volatile.Read(ref _removed), FilesKnown);

    public void Add(Peer peer)
    {
        Peers[peer.Name] = peer;
        Interlocked.Increment(ref _peers);
        Count(peer.Facts, 1);
    }

    public void Remove(Peer peer)
    {
        if (Peers.TryRemove(KeyValuePair.Create(peer.Name, peer)))
        {
            Interlocked.Decrement(ref _peers);
            Count(peer.Facts, -1);
        }
    }

    public void Replace(Peer peer, PeerFacts facts)
    {
        Count(peer.Facts, -1);
        peer.Replace(facts);
        Count(facts, 1);
    }

    public void Add(SharedFile file)
    {
        Files[file.Hash] = file;
        Interlocked.Increment(ref _files);
        Interlocked.Increment(ref _filesVersion);
    }

    public void Remove(SharedFile file)
    {
        if (Files.TryRemove(KeyValuePair.Create(file.Hash, file)))
        {
            Interlocked.Decrement(ref _files);
            Interlocked.Increment(ref _filesVersion);
        }
    }

    /// <summary>Put in order when somebody looks and there are others than the last time.</summary>
    public SharedFile[] NewestFirst()
    {
        var version = Interlocked.Read(ref _filesVersion);
        if (Volatile.Read(ref _newestFirst) is { } known && known.Version == version)
        {
            return known.Files;
        }

        var files = Files.Values.ToArray();
        Array.Sort(files, static (one, other) => other.Id.CompareTo(one.Id));
        Volatile.Write(ref _newestFirst, new Order(version, files));
        return files;
    }

    /// <summary>Online, by reputation. The order is kept for two seconds, for it is some work with many peers.</summary>
    public IReadOnlyList<ListedPeer> TopPeers(int limit, DateTimeOffset now)
    {
        if (Volatile.Read(ref _top) is not { } top || now - top.At > TopIsKept || now < top.At)
        {
            top = new Top(now, [.. Peers.Values.Where(peer => peer.Facts.IsOnline)
                .Select(peer => peer.ToListed())
                .Select(peer => (Peer: peer, Reputation: peer.ReputationAt(now)))
                .OrderByDescending(one => one.Reputation)
                .ThenBy(one => one.Peer.RegisteredAt)
                .ThenBy(one => one.Peer.PeerId, StringComparer.Ordinal)
                .Take(MostTop)
                .Select(one => one.Peer)]);
            Volatile.Write(ref _top, top);
        }

        return [.. top.Peers.Take(limit)];
    }

    private void Count(PeerFacts facts, int by)
    {
        Interlocked.Add(ref _online, facts.IsOnline ? by : 0);
        Interlocked.Add(ref _removed, facts.RemovedAt is null ? 0 : by);
    }

    /// <param name="Version">Of the set of files.</param>
    private sealed record Order(long Version, SharedFile[] Files);

    private sealed record Top(DateTimeOffset At, ListedPeer[] Peers);
}
