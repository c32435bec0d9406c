using System.Net;
using Vtp.Application.Common.Pipeline;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;

namespace Vtp.Infrastructure.Tracker;

/// <summary>
/// What several changes together do to memory and disk, decided one after the other as if those before were done. Nothing
/// of it shows until it is written.
/// </summary>
internal sealed class Batch(Memory memory, DateTimeOffset now)
{
    private readonly Dictionary<(Swarm Swarm, string Name), PlannedPeer> _peers = [];
    private readonly Dictionary<(Swarm Swarm, ContentHash Hash), PlannedFile> _files = [];
    private readonly Dictionary<Swarm, (int Peers, int Files)> _added = [];

    public DateTimeOffset Now { get; } = now;

    public long Version { get; } = memory.Version + 1;

    public long LastId { get; private set; } = memory.LastId;

    public List<PlannedEvent> Events { get; } = [];

    /// <summary>In the order in which they were decided on; of one name perhaps several, one after the other.</summary>
    public IEnumerable<PlannedPeer> Peers => _peers.Values.SelectMany(peer => peer.WithReplaced());

    public IEnumerable<PlannedFile> Files => _files.Values.SelectMany(file => file.WithReplaced());

    public bool IsEmpty => Events.Count == 0 && _files.Count == 0 && _peers.Values.All(peer => !peer.IsChanged && peer.Seats.Count == 0);

    /// <returns>Null for one that is not known.</returns>
    public PlannedPeer? FindPeer(Swarm swarm, string name)
    {
        if (!_peers.TryGetValue((swarm, name), out var planned))
        {
            if (!swarm.Peers.TryGetValue(name, out var peer))
            {
                return null;
            }

            _peers[(swarm, name)] = planned = new PlannedPeer(peer, peer.Facts);
        }

        return planned.Facts is null ? null : planned;
    }

    /// <returns>Null for one that is not known.</returns>
    public SharedFile? FindFile(Swarm swarm, ContentHash hash) =>
        _files.TryGetValue((swarm, hash), out var planned)
            ? planned.IsForgotten ? null : planned.File
            : swarm.Files.GetValueOrDefault(hash);

    public (int Peers, int Files) AddedTo(Swarm swarm) => _added.GetValueOrDefault(swarm);

    public PlannedPeer AddPeer(Swarm swarm, string name, PeerFacts facts, IPAddress origin, in PeerCallActor actor)
    {
        // One that was forgotten in this very batch keeps its row, for the new one has another id.
        var forgotten = _peers.GetValueOrDefault((swarm, name));
        var planned = new PlannedPeer(new Peer(++LastId, swarm, name, facts, origin, Now), facts) { IsNew = true, IsChanged = true, Replaced = forgotten };
        _peers[(swarm, name)] = planned;
        Count(swarm, peers: 1, files: 0);
        TellIfOnlineChanged(planned, wasOnline: false, PeerLeaving.Left, actor);
        return planned;
    }

    /// <param name="reason">Should it be offline by that.</param>
    public void Change(PlannedPeer peer, PeerFacts facts, PeerLeaving reason, in PeerCallActor actor)
    {
        var wasOnline = peer.Facts!.IsOnline;
        peer.IsChanged |= facts != peer.Facts;
        peer.Facts = facts;
        TellIfOnlineChanged(peer, wasOnline, reason, actor);
    }

    /// <summary>It has nothing any more.</summary>
    public static void Clear(PlannedPeer peer)
    {
        peer.Seats.Clear();
        peer.IsCleared = peer.IsChanged = true;
    }

    public void Forget(PlannedPeer peer, PeerLeaving reason, in PeerCallActor actor)
    {
        var wasOnline = peer.Facts!.IsOnline;
        Clear(peer);
        peer.Facts = null;
        Count(peer.Peer.Swarm, peers: -1, files: 0);
        TellIfOnlineChanged(peer, wasOnline, reason, actor);
    }

    public SharedFile AddFile(Swarm swarm, FileManifest manifest, MerkleRoot root, string addedBy, in PeerCallActor actor)
    {
        var file = new SharedFile(
            ++LastId, swarm, manifest.Hash, manifest.Name, manifest.Size, manifest.ChunkSize, manifest.Chunks.Count, manifest.Fingerprint, root.Hash, addedBy, Now, Now);
        _files[(swarm, manifest.Hash)] = new PlannedFile(file, manifest) { Replaced = _files.GetValueOrDefault((swarm, manifest.Hash)) };
        Count(swarm, peers: 0, files: 1);
        Tell(swarm, file.Hash.ToString(), new TrackerEvents.FileAdded(file.Hash.ToString(), file.Name, file.Size, addedBy), actor);
        return file;
    }

    public void Forget(SharedFile file, in PeerCallActor actor)
    {
        foreach (var peer in _peers.Values)
        {
            peer.Seats.Remove(file);
        }

        if (_files.TryGetValue((file.Swarm, file.Hash), out var planned) && planned.File == file)
        {
            planned.IsForgotten = true;
        }
        else
        {
            _files[(file.Swarm, file.Hash)] = new PlannedFile(file, Manifest: null) { IsForgotten = true, Replaced = planned };
        }

        Count(file.Swarm, peers: 0, files: -1);
        Tell(file.Swarm, file.Hash.ToString(), new TrackerEvents.FileRemoved(file.Hash.ToString(), file.Name), actor);
    }

    /// <summary>It has the file, unless that is known.</summary>
    public static void Seat(PlannedPeer peer, SharedFile file)
    {
        if (peer.IsNew || peer.IsCleared || !peer.Peer.Holds(file))
        {
            peer.Seats.Add(file);
        }
    }

    /// <summary>It is written: now memory has it too.</summary>
    public void Apply()
    {
        foreach (var file in Files)
        {
            if (file.IsForgotten && file.Manifest is null)
            {
                memory.Forget(file.File, Now);
            }
            else if (!file.IsForgotten)
            {
                memory.Add(file.File);
            }
        }

        foreach (var peer in Peers)
        {
            Apply(peer);
        }

        (memory.Version, memory.LastId) = (Version, LastId);
    }

    private void Apply(PlannedPeer planned)
    {
        var peer = planned.Peer;
        if (planned.Facts is not { } facts)
        {
            if (!planned.IsNew)
            {
                memory.Forget(peer, Now);
            }

            return;
        }

        if (planned.IsNew)
        {
            peer.Replace(facts);
            memory.Add(peer);
        }
        else
        {
            if (planned.IsCleared)
            {
                peer.RiseFromAll(Now);
            }

            if (!ReferenceEquals(facts, peer.Facts))
            {
                memory.Replace(peer, facts, Now);
            }
        }

        foreach (var file in planned.Seats)
        {
            peer.Sit(file);
        }
    }

    private void Count(Swarm swarm, int peers, int files)
    {
        var added = AddedTo(swarm);
        _added[swarm] = (added.Peers + peers, added.Files + files);
    }

    private void TellIfOnlineChanged(PlannedPeer peer, bool wasOnline, PeerLeaving reason, in PeerCallActor actor)
    {
        var (swarm, name) = (peer.Peer.Swarm, peer.Peer.Name);
        if (wasOnline && peer.Facts?.IsOnline != true)
        {
            Tell(swarm, name, new TrackerEvents.PeerLeft(name, reason), actor);
        }
        else if (!wasOnline && peer.Facts is { IsOnline: true } facts)
        {
            Tell(swarm, name, new TrackerEvents.PeerJoined(name, facts.Hostname, PeerAddress.Text(facts.Address), facts.Port), actor);
        }
    }

    private void Tell(Swarm swarm, string subject, object data, in PeerCallActor actor) => Events.Add(new PlannedEvent(
        Uuid.NewVersion7(Now), EventCatalogue.TypeOf(data), swarm.Organization, swarm.Project, subject, EventCatalogue.Write(data), actor));
}

/// <summary>A peer as it is when the changes so far are done.</summary>
internal sealed class PlannedPeer(Peer peer, PeerFacts? facts)
{
    public Peer Peer { get; } = peer;

    /// <summary>Null when it is forgotten.</summary>
    public PeerFacts? Facts { get; set; } = facts;

    public bool IsNew { get; init; }

    public bool IsChanged { get; set; }

    /// <summary>What it had before is taken from it.</summary>
    public bool IsCleared { get; set; }

    /// <summary>Files that it has from now on.</summary>
    public HashSet<SharedFile> Seats { get; } = [];

    /// <summary>The one of that name that was forgotten in the same batch.</summary>
    public PlannedPeer? Replaced { get; init; }

    public IEnumerable<PlannedPeer> WithReplaced() => Replaced is null ? [this] : [.. Replaced.WithReplaced(), this];
}

/// <param name="Manifest">Of one that is new; null of one that is forgotten.</param>
internal sealed record PlannedFile(SharedFile File, FileManifest? Manifest)
{
    public bool IsForgotten { get; set; }

    public PlannedFile? Replaced { get; init; }

    public IEnumerable<PlannedFile> WithReplaced() => Replaced is null ? [this] : [.. Replaced.WithReplaced(), this];
}

/// <summary>Whom an event is put down to, and where in its trace it was asked for.</summary>
internal readonly record struct PeerCallActor(ActorType Type, Guid? Id, string? TraceId, string? TraceParent)
{
    public static readonly PeerCallActor System = new(ActorType.System, Id: null, TraceId: null, TraceParent: null);

    public static PeerCallActor Of(in Application.Tracker.PeerCall call) =>
        new(call.ActorType, call.ActorId, global::System.Diagnostics.Activity.Current?.TraceId.ToHexString(), TraceContext.Current);
}

internal sealed record PlannedEvent(
    Guid Id, string Type, OrganizationId Organization, ProjectId Project, string Subject, string Data, PeerCallActor Actor);
