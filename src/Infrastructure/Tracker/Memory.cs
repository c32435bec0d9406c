using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Vtp.Application.Tracker;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;

namespace Vtp.Infrastructure.Tracker;

/// <summary>
/// All swarms, as of one version of the journal: what is in here is on disk. Anybody reads; the journal alone changes it, one
/// change after the other.
/// </summary>
internal sealed partial class Memory(ILogger<Memory> logger)
{
    private readonly ConcurrentDictionary<ProjectId, Swarm> _swarms = new();
    private readonly ConcurrentQueue<Peer> _unwritten = new();

    // By the ids that rows have, for what is read from disk.
    private readonly Dictionary<long, Peer> _peers = [];
    private readonly Dictionary<long, SharedFile> _files = [];
    private Action<TrackerChange>[] _watchers = [];

    public IEnumerable<Swarm> Swarms => _swarms.Values;

    /// <summary>Heard of since that was written last.</summary>
    public ConcurrentQueue<Peer> Unwritten => _unwritten;

    public long Version { get; set; }

    /// <summary>The last that was given to a row.</summary>
    public long LastId { get; set; }

    public Swarm? Find(ProjectId project) => _swarms.GetValueOrDefault(project);

    public Swarm Of(OrganizationId organization, ProjectId project) =>
        _swarms.TryGetValue(project, out var swarm) ? swarm : _swarms.GetOrAdd(project, static (id, organization) => new Swarm(organization, id), organization);

    public Peer? FindPeer(long id) => _peers.GetValueOrDefault(id);

    public SharedFile? FindFile(long id) => _files.GetValueOrDefault(id);

    /// <summary>A request came from it.</summary>
    public void Touch(Peer peer, DateTimeOffset now, System.Net.IPAddress? origin)
    {
        if (peer.Touch(now, origin))
        {
            _unwritten.Enqueue(peer);
        }
    }

    public void Add(Peer peer)
    {
        if (peer.Swarm.Peers.TryGetValue(peer.Name, out var before))
        {
            Forget(before, before.LastSeen);
        }

        _peers[peer.Id] = peer;
        peer.Swarm.Add(peer);
        if (peer.Facts.IsOnline)
        {
            Tell(Joined(peer));
        }
    }

    public void Replace(Peer peer, PeerFacts facts, DateTimeOffset now)
    {
        var wasOnline = peer.Facts.IsOnline;
        peer.Swarm.Replace(peer, facts);
        if (wasOnline && !facts.IsOnline)
        {
            peer.CloseAll(now);
            Tell(new TrackerChange.PeerLeft(peer.Swarm.Project, peer.Name));
        }
        else if (!wasOnline && facts.IsOnline)
        {
            peer.OpenAll();
            Tell(Joined(peer));
        }
    }

    public void Forget(Peer peer, DateTimeOffset now)
    {
        _peers.Remove(peer.Id);
        peer.Swarm.Remove(peer);
        peer.RiseFromAll(now);
        if (peer.Facts.IsOnline)
        {
            Tell(new TrackerChange.PeerLeft(peer.Swarm.Project, peer.Name));
        }
    }

    public void Add(SharedFile file)
    {
        _files[file.Id] = file;
        file.Swarm.Add(file);
        Tell(new TrackerChange.FileAdded(file.Swarm.Project, file.Hash.ToString(), file.Name, file.Size, file.AddedBy));
    }

    public void Forget(SharedFile file, DateTimeOffset now)
    {
        _files.Remove(file.Id);
        file.Swarm.Remove(file);

        // After so long whoever had it is removed itself.
        if (file.Seeders > 0 || now - file.SeededAt < Liveness.RememberedFor)
        {
            foreach (var peer in file.Swarm.Peers.Values)
            {
                peer.Rise(file);
            }
        }

        Tell(new TrackerChange.FileRemoved(file.Swarm.Project, file.Hash.ToString()));
    }

    /// <summary>A project that is no more.</summary>
    public void Forget(Swarm swarm)
    {
        _swarms.TryRemove(KeyValuePair.Create(swarm.Project, swarm));
        foreach (var peer in swarm.Peers.Values)
        {
            _peers.Remove(peer.Id);
        }

        foreach (var file in swarm.Files.Values)
        {
            _files.Remove(file.Id);
        }
    }

    public IDisposable Watch(Action<TrackerChange> onChange)
    {
        Change(watchers => [.. watchers, onChange]);
        return new Watcher(() => Change(watchers => [.. watchers.Where(other => other != onChange)]));

        void Change(Func<Action<TrackerChange>[], Action<TrackerChange>[]> change)
        {
            Action<TrackerChange>[] before;
            do
            {
                before = Volatile.Read(ref _watchers);
            }
            while (Interlocked.CompareExchange(ref _watchers, change(before), before) != before);
        }
    }

    private static TrackerChange.PeerJoined Joined(Peer peer)
    {
        var facts = peer.Facts;
        return new TrackerChange.PeerJoined(peer.Swarm.Project, peer.Name, facts.Hostname, PeerAddress.Text(facts.Address), facts.Port);
    }

    private void Tell(TrackerChange change)
    {
        foreach (var watcher in Volatile.Read(ref _watchers))
        {
            try
            {
                watcher(change);
            }
#pragma warning disable CA1031 // Whatever it is, what has changed has changed.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                LogWatcherFailed(exception);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A watcher of the swarms could not take a change")]
    private partial void LogWatcherFailed(Exception exception);

    private sealed class Watcher(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
