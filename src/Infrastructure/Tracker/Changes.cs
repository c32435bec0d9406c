using System.Net;
using Vtp.Application.Tracker;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Infrastructure.Tracker;

/// <summary>Something that somebody asks the journal for.</summary>
internal abstract class Change
{
    /// <summary>About how many bytes of it go over the wire, beyond a few hundred.</summary>
    public virtual int Weight => 0;

    /// <summary>Decides what it does; a refusal does nothing. May be asked again, when another node was faster.</summary>
    public abstract void Plan(Batch batch);

    /// <summary>It is done, or refused: whoever asked is answered.</summary>
    public abstract void Complete();

    /// <summary>Nobody knows whether it is done.</summary>
    public abstract void Refuse(Refusal refusal);

    public abstract void Fail(Exception exception);
}

/// <summary>Of a caller who waits for it.</summary>
internal abstract class Change<T>(Swarm swarm, PeerCall call) : Change
    where T : notnull
{
    private readonly TaskCompletionSource<Result<T>> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PeerCallActor _actor = PeerCallActor.Of(call);
    private Refusal? _refusal;

    public Task<Result<T>> Done => _done.Task;

    protected Swarm Swarm { get; } = swarm;

    protected PeerCall Call { get; } = call;

    protected ref readonly PeerCallActor Actor => ref _actor;

    public sealed override void Plan(Batch batch) => _refusal = Call.Caller.MayName(Call.PeerId) ? Decide(batch) : TrackerRefusals.NotYourPeer;

    public sealed override void Complete() => _done.SetResult(_refusal is { } refusal ? refusal : Answer());

    public sealed override void Refuse(Refusal refusal) => _done.SetResult(refusal);

    public sealed override void Fail(Exception exception) => _done.SetException(exception);

    /// <returns>Why not.</returns>
    protected abstract Refusal? Decide(Batch batch);

    /// <summary>Once it is done.</summary>
    protected abstract Result<T> Answer();

    protected Refusal? IsTheirs(PlannedPeer peer) =>
        Call.Caller.SpeaksFor(peer.Facts!.Credential, Call.PeerId) ? null : TrackerRefusals.NotYourPeer;

    /// <summary>One that was silent for too long is back.</summary>
    protected void Revive(Batch batch, PlannedPeer peer)
    {
        if (peer.Facts is { IsOnline: true } or null)
        {
            return;
        }

        batch.Change(peer, peer.Facts with { IsOnline = true, RemovedAt = null }, PeerLeaving.TimedOut, Actor);
    }
}

internal sealed class RegisterChange(Swarm swarm, PeerCall call, Registration registration, int mostPeers) : Change<ListedPeer>(swarm, call)
{
    private Peer? _peer;

    protected override Refusal? Decide(Batch batch)
    {
        var known = batch.FindPeer(Swarm, Call.PeerId);
        if (known is null)
        {
            if (Swarm.PeersKnown + batch.AddedTo(Swarm).Peers >= mostPeers)
            {
                return TrackerRefusals.TooManyPeers;
            }

            var facts = new PeerFacts(
                registration.Hostname, Call.Caller.Credential, registration.Address, registration.Port, batch.Now, IsOnline: true, Uploaded: 0, Downloaded: 0, RemovedAt: null);
            _peer = batch.AddPeer(Swarm, Call.PeerId, facts, Call.Origin ?? IPAddress.None, Actor).Peer;
            return null;
        }

        _peer = known.Peer;
        if (IsTheirs(known) is { } refusal)
        {
            return refusal;
        }

        batch.Change(
            known,
            known.Facts! with { Hostname = registration.Hostname, Address = registration.Address, Port = registration.Port, IsOnline = true, RemovedAt = null },
            PeerLeaving.TimedOut,
            Actor);
        return null;
    }

    protected override Result<ListedPeer> Answer() => _peer!.ToListed();
}

internal sealed class HeartbeatChange(Swarm swarm, PeerCall call, IReadOnlyList<ContentHash> files) : Change<KnownPeer>(swarm, call)
{
    private bool _isKnown;

    public override int Weight => files.Count * 32;

    protected override Refusal? Decide(Batch batch)
    {
        var peer = batch.FindPeer(Swarm, Call.PeerId);
        _isKnown = peer is not null;
        if (peer is null)
        {
            return null;
        }

        if (IsTheirs(peer) is { } refusal)
        {
            return refusal;
        }

        Revive(batch, peer);
        foreach (var hash in files)
        {
            if (batch.FindFile(Swarm, hash) is { } file)
            {
                Batch.Seat(peer, file);
            }
        }

        return null;
    }

    protected override Result<KnownPeer> Answer() => new KnownPeer(_isKnown);
}

internal sealed class AnnounceChange(Swarm swarm, PeerCall call, FileManifest manifest, int mostFiles) : Change<ListedFile>(swarm, call)
{
    private SharedFile? _file;
    private MerkleRoot? _root;

    public override int Weight => manifest.Chunks.Bytes.Length;

    protected override Refusal? Decide(Batch batch)
    {
        if (batch.FindPeer(Swarm, Call.PeerId) is not { } peer)
        {
            return TrackerRefusals.PeerNotRegistered;
        }

        if (IsTheirs(peer) is { } refusal)
        {
            return refusal;
        }

        _file = batch.FindFile(Swarm, manifest.Hash);
        if (_file is null)
        {
            if (Swarm.FilesKnown + batch.AddedTo(Swarm).Files >= mostFiles)
            {
                return TrackerRefusals.TooManyFiles;
            }

            // Known since before it came here, unless it was removed meanwhile.
            if (_root is null && !manifest.Root().TryGet(out _root, out refusal))
            {
                return refusal;
            }

            _file = batch.AddFile(Swarm, manifest, _root, Call.PeerId, Actor);
        }
        else if (DifferenceFrom(_file, manifest) is { } difference)
        {
            return TrackerRefusals.OtherContent(difference);
        }

        Revive(batch, peer);
        Batch.Seat(peer, _file);
        return null;
    }

    /// <summary>Some work for a large file: before the journal, where others would wait for it.</summary>
    /// <returns>Why not.</returns>
    public Refusal? ComputeRoot() => manifest.Root().TryGet(out _root, out var refusal) ? null : refusal;

    /// <returns>Null for the same content.</returns>
    public static string? DifferenceFrom(SharedFile known, FileManifest manifest) =>
        known.Size != manifest.Size ? $"{known.Size} bytes, not {manifest.Size}"
        : known.ChunkSize != manifest.ChunkSize ? $"chunks of {known.ChunkSize} bytes, not {manifest.ChunkSize}"
        : known.Fingerprint != manifest.Fingerprint ? "other hashes of its chunks"
        : null;

    protected override Result<ListedFile> Answer() => _file!.ToListed();
}

internal sealed class ReportChange(Swarm swarm, PeerCall call, long uploaded, long downloaded) : Change<KnownPeer>(swarm, call)
{
    private bool _isKnown;

    protected override Refusal? Decide(Batch batch)
    {
        var peer = batch.FindPeer(Swarm, Call.PeerId);
        _isKnown = peer is not null;
        if (peer is null)
        {
            return null;
        }

        if (IsTheirs(peer) is { } refusal)
        {
            return refusal;
        }

        var facts = peer.Facts!;
        batch.Change(peer, facts with { Uploaded = Sum(facts.Uploaded, uploaded), Downloaded = Sum(facts.Downloaded, downloaded) }, PeerLeaving.TimedOut, Actor);
        return null;

        static long Sum(long one, long other) => one > long.MaxValue - other ? long.MaxValue : one + other;
    }

    protected override Result<KnownPeer> Answer() => new KnownPeer(_isKnown);
}

internal sealed class LeaveChange(Swarm swarm, PeerCall call, PeerLeaving reason) : Change<KnownPeer>(swarm, call)
{
    private bool _isKnown;

    protected override Refusal? Decide(Batch batch)
    {
        var peer = batch.FindPeer(Swarm, Call.PeerId);
        _isKnown = peer is not null;
        if (peer is null)
        {
            return null;
        }

        if (IsTheirs(peer) is { } refusal)
        {
            return refusal;
        }

        batch.Forget(peer, reason, Actor);
        return null;
    }

    protected override Result<KnownPeer> Answer() => new KnownPeer(_isKnown);
}

internal sealed class RemoveFileChange(Swarm swarm, PeerCall call, ContentHash hash) : Change<Done>(swarm, call)
{
    protected override Refusal? Decide(Batch batch)
    {
        if (batch.FindFile(Swarm, hash) is not { } file)
        {
            return TrackerRefusals.FileNotFound;
        }

        batch.Forget(file, Actor);
        return null;
    }

    protected override Result<Done> Answer() => Vtp.Domain.Common.Done.Value;
}

/// <summary>
/// What time does: peers that were silent are offline, then removed, then forgotten; files that nobody has are forgotten. What
/// looked so to this node is judged once more, when it is known what others have heard.
/// </summary>
internal sealed class SweepChange(IReadOnlyList<Peer> peers, IReadOnlyList<SharedFile> files) : Change
{
    public IReadOnlyList<Peer> Peers { get; } = peers;

    public static bool IsDue(PeerFacts facts, DateTimeOffset lastSeen, DateTimeOffset now) =>
        facts.RemovedAt is { } removed ? now - removed > Liveness.RememberedFor
        : now - lastSeen > (facts.IsOnline ? Liveness.OfflineAfter : Liveness.RemovedAfter);

    public static bool IsDue(SharedFile file, DateTimeOffset now) => file.Seeders == 0 && now - file.SeededAt > Liveness.RememberedFor;

    public override void Plan(Batch batch)
    {
        foreach (var due in Peers)
        {
            if (batch.FindPeer(due.Swarm, due.Name) is not { Facts: { } facts } peer || peer.Peer != due || !IsDue(facts, due.LastSeen, batch.Now))
            {
                continue;
            }

            if (facts.RemovedAt is not null)
            {
                batch.Forget(peer, PeerLeaving.TimedOut, PeerCallActor.System);
            }
            else if (batch.Now - due.LastSeen > Liveness.RemovedAfter)
            {
                batch.Change(peer, facts with { IsOnline = false, RemovedAt = batch.Now }, PeerLeaving.TimedOut, PeerCallActor.System);
                Batch.Clear(peer);
            }
            else
            {
                batch.Change(peer, facts with { IsOnline = false }, PeerLeaving.TimedOut, PeerCallActor.System);
            }
        }

        foreach (var file in files)
        {
            if (batch.FindFile(file.Swarm, file.Hash) == file && IsDue(file, batch.Now))
            {
                batch.Forget(file, PeerCallActor.System);
            }
        }
    }

    public override void Complete()
    {
        // Nobody waits for it.
    }

    public override void Refuse(Refusal refusal)
    {
        // The next one comes by itself.
    }

    public override void Fail(Exception exception)
    {
        // Likewise; the journal has said so.
    }
}

/// <summary>Projects that were deleted for good took their rows along; memory follows.</summary>
internal sealed class PurgedProjectsChange(Memory memory, HashSet<Guid> alive) : Change
{
    public override void Plan(Batch batch)
    {
        // There is nothing to write.
    }

    public override void Complete()
    {
        foreach (var swarm in memory.Swarms.Where(swarm => !alive.Contains(swarm.Project.Value)).ToList())
        {
            memory.Forget(swarm);
        }
    }

    public override void Refuse(Refusal refusal)
    {
        // The next one comes by itself.
    }

    public override void Fail(Exception exception)
    {
        // Likewise.
    }
}
