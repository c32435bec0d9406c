using Vtp.Application.Tracker;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;

namespace Vtp.Infrastructure.Tracker;

/// <summary>Answers from memory. What changes nothing but the time is never written by itself; all else goes through the journal.</summary>
internal sealed class SwarmBook(Memory memory, Journal journal, ChunkLists chunks, TrackerOptions options, TrackerMetrics metrics, TimeProvider clock)
    : ISwarms, IPeerDirectory
{
    public async ValueTask<Result<ListedPeer>> RegisterAsync(PeerCall by, Registration registration, CancellationToken cancellationToken)
    {
        metrics.Registered();
        if (!by.Caller.MayName(by.PeerId))
        {
            return TrackerRefusals.NotYourPeer;
        }

        var swarm = memory.Of(by.Caller.Organization, by.Caller.Project);
        if (Theirs(swarm, by) is { } peer && IsListedAs(peer.Facts, registration))
        {
            memory.Touch(peer, clock.GetUtcNow(), by.Origin);
            return peer.ToListed();
        }

        var answer = await journal.WriteAsync(new RegisterChange(swarm, by, registration, options.PeersPerProject));
        TouchAfter(swarm, by, answer.Refusal);
        return answer;
    }

    public async ValueTask<Result<KnownPeer>> HeartbeatAsync(PeerCall by, IReadOnlyList<ContentHash> files, CancellationToken cancellationToken)
    {
        if (memory.Find(by.Caller.Project) is not { } swarm || !swarm.Peers.TryGetValue(by.PeerId, out var peer))
        {
            return by.Caller.MayName(by.PeerId) ? new KnownPeer(false) : TrackerRefusals.NotYourPeer;
        }

        if (!by.Caller.SpeaksFor(peer.Facts.Credential, by.PeerId))
        {
            return TrackerRefusals.NotYourPeer;
        }

        memory.Touch(peer, clock.GetUtcNow(), by.Origin);
        return peer.Facts.IsOnline && HoldsAll(peer, files)
            ? new KnownPeer(true)
            : await journal.WriteAsync(new HeartbeatChange(swarm, by, files));
    }

    public async ValueTask<Result<ListedFile>> AnnounceAsync(PeerCall by, FileManifest manifest, CancellationToken cancellationToken)
    {
        metrics.Announced();
        var swarm = memory.Of(by.Caller.Organization, by.Caller.Project);
        var known = swarm.Files.GetValueOrDefault(manifest.Hash);
        var change = new AnnounceChange(swarm, by, manifest, options.FilesPerProject);
        if (known is null)
        {
            if (change.ComputeRoot() is { } refusal)
            {
                return refusal;
            }
        }
        else if (AnnounceChange.DifferenceFrom(known, manifest) is null && manifest.Root(known.MerkleRoot).Refusal is { } refusal)
        {
            return refusal;
        }

        if (known is not null && AnnounceChange.DifferenceFrom(known, manifest) is null && Theirs(swarm, by) is { } peer && peer.Holds(known))
        {
            memory.Touch(peer, clock.GetUtcNow(), by.Origin);
            return known.ToListed();
        }

        var answer = await journal.WriteAsync(change);
        TouchAfter(swarm, by, answer.Refusal);
        return answer;
    }

    public async ValueTask<Result<KnownPeer>> ReportAsync(PeerCall by, long uploaded, long downloaded, CancellationToken cancellationToken)
    {
        var answer = await journal.WriteAsync(new ReportChange(memory.Of(by.Caller.Organization, by.Caller.Project), by, uploaded, downloaded));
        if (answer.Match(known => known.IsKnown, _ => false))
        {
            metrics.Transferred(uploaded, downloaded);
        }

        return answer;
    }

    public ValueTask<Result<KnownPeer>> LeaveAsync(PeerCall by, PeerLeaving reason, CancellationToken cancellationToken) =>
        journal.WriteAsync(new LeaveChange(memory.Of(by.Caller.Organization, by.Caller.Project), by, reason));

    public ValueTask<Result<Done>> RemoveFileAsync(PeerCall by, ContentHash file, CancellationToken cancellationToken) =>
        journal.WriteAsync(new RemoveFileChange(memory.Of(by.Caller.Organization, by.Caller.Project), by, file));

    public ListedPeer? FindPeer(ProjectId project, string peerId) => memory.Find(project)?.Peers.GetValueOrDefault(peerId)?.ToListed();

    public ListedFile? FindFile(ProjectId project, ContentHash file) => memory.Find(project)?.Files.GetValueOrDefault(file)?.ToListed();

    public Listing<ListedFile> Files(ProjectId project, FileFilter filter, int page, int limit)
    {
        var files = memory.Find(project)?.NewestFirst() ?? [];
        if (filter != default)
        {
            files = Array.FindAll(files, file =>
                (filter.Category is null || string.Equals(file.Category, filter.Category, StringComparison.Ordinal))
                && (filter.Text is null || file.Name.Contains(filter.Text, StringComparison.OrdinalIgnoreCase)));
        }

        return Page(files, page, limit, file => file.ToListed());
    }

    public Listing<ListedPeer> Peers(ProjectId project, int page, int limit)
    {
        Peer[] peers = [.. memory.Find(project)?.Peers.Values.Where(peer => peer.Facts.RemovedAt is null).OrderByDescending(peer => peer.Id) ?? Enumerable.Empty<Peer>()];
        return Page(peers, page, limit, peer => peer.ToListed());
    }

    public IReadOnlyList<ListedPeer> TopPeers(ProjectId project, int limit) => memory.Find(project)?.TopPeers(limit, clock.GetUtcNow()) ?? [];

    public IReadOnlyList<CategoryView> Categories(ProjectId project) =>
        [.. (memory.Find(project)?.NewestFirst() ?? [])
            .GroupBy(file => file.Category, StringComparer.Ordinal)
            .Select(files => new CategoryView(files.Key, files.Count(), files.Sum(file => file.Size)))
            .OrderBy(category => category.Category, StringComparer.Ordinal)];

    public HolderSample Holders(ProjectId project, ContentHash file, int limit)
    {
        metrics.AskedForPeers();
        return memory.Find(project)?.Files.GetValueOrDefault(file)?.Sample(limit, clock) ?? new HolderSample([], limit, takenAt: 0);
    }

    public ValueTask<ChunkListJson> ChunksAsync(ListedFile file, CancellationToken cancellationToken) => chunks.OfAsync(file, cancellationToken);

    public RegisteredPeer? Find(ProjectId project, string peerId) =>
        memory.Find(project)?.Peers.TryGetValue(peerId, out var peer) == true ? Registered(peer) : null;

    public IReadOnlyList<RegisteredPeer> FindAnywhere(string peerId) =>
        [.. memory.Swarms.Select(swarm => Find(swarm.Project, peerId)).OfType<RegisteredPeer>()];

    public TrackerCounts Count(ProjectId project) => memory.Find(project)?.Counts ?? default;

    public TrackerCounts CountAll() => memory.Swarms.Select(swarm => swarm.Counts).Aggregate(
        default(TrackerCounts),
        (sum, one) => new TrackerCounts(sum.PeersOnline + one.PeersOnline, sum.PeersTotal + one.PeersTotal, sum.Files + one.Files));

    public IDisposable Watch(Action<TrackerChange> onChange) => memory.Watch(onChange);

    private static RegisteredPeer? Registered(Peer peer) => peer.Facts is { RemovedAt: null } facts
        ? new RegisteredPeer(peer.Swarm.Project, peer.Name, facts.Hostname, facts.Credential, peer.Origin, facts.IsOnline)
        : null;

    /// <returns>Null for one that is not online, or not the caller's.</returns>
    private static Peer? Theirs(Swarm swarm, in PeerCall by) =>
        swarm.Peers.TryGetValue(by.PeerId, out var peer) && peer.Facts is { IsOnline: true } facts && by.Caller.SpeaksFor(facts.Credential, by.PeerId) ? peer : null;

    private static bool IsListedAs(PeerFacts facts, in Registration registration) =>
        facts.Port == registration.Port && facts.Address.Equals(registration.Address) && string.Equals(facts.Hostname, registration.Hostname, StringComparison.Ordinal);

    private static bool HoldsAll(Peer peer, IReadOnlyList<ContentHash> files)
    {
        for (var index = 0; index < files.Count; index++)
        {
            if (peer.Swarm.Files.TryGetValue(files[index], out var file) && !peer.Holds(file))
            {
                return false;
            }
        }

        return true;
    }

    private static Listing<TOut> Page<T, TOut>(T[] all, int page, int limit, Func<T, TOut> view)
    {
        var skip = (long)(page - 1) * limit;
        return new Listing<TOut>(skip >= all.Length ? [] : [.. all.Skip((int)skip).Take(limit).Select(view)], all.Length);
    }

    private void TouchAfter(Swarm swarm, in PeerCall by, Refusal? refusal)
    {
        if (refusal is null && swarm.Peers.TryGetValue(by.PeerId, out var peer))
        {
            memory.Touch(peer, clock.GetUtcNow(), by.Origin);
        }
    }
}
