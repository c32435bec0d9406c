using System.Net;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker;

/// <summary>
/// The swarms of all projects, answered from memory. What changes them is on disk before it is answered, and until then
/// nobody is told of it.
/// </summary>
public interface ISwarms
{
    /// <summary>A peer says where it is; once more, and what it says now counts.</summary>
    ValueTask<Result<ListedPeer>> RegisterAsync(PeerCall by, Registration registration, CancellationToken cancellationToken);

    /// <summary>
    /// A peer lives. One that was silent for too long is back, and has the files that it names, as far as they are known.
    /// </summary>
    /// <returns>False for one that must register first.</returns>
    ValueTask<Result<KnownPeer>> HeartbeatAsync(PeerCall by, IReadOnlyList<ContentHash> files, CancellationToken cancellationToken);

    /// <summary>A peer has a whole file. Of a hash the first content stands.</summary>
    ValueTask<Result<ListedFile>> AnnounceAsync(PeerCall by, FileManifest manifest, CancellationToken cancellationToken);

    /// <summary>Adds to what the peer has given and taken, in bytes.</summary>
    ValueTask<Result<KnownPeer>> ReportAsync(PeerCall by, long uploaded, long downloaded, CancellationToken cancellationToken);

    /// <summary>The peer and its part in every swarm are forgotten.</summary>
    ValueTask<Result<KnownPeer>> LeaveAsync(PeerCall by, PeerLeaving reason, CancellationToken cancellationToken);

    /// <summary>The file and its swarm are forgotten.</summary>
    ValueTask<Result<Done>> RemoveFileAsync(PeerCall by, ContentHash file, CancellationToken cancellationToken);

    /// <returns>Null for one that nobody may speak for but that is not known: neither online nor remembered.</returns>
    ListedPeer? FindPeer(ProjectId project, string peerId);

    ListedFile? FindFile(ProjectId project, ContentHash file);

    /// <summary>Newest first.</summary>
    Listing<ListedFile> Files(ProjectId project, FileFilter filter, int page, int limit);

    /// <summary>Those that are not removed, newest first.</summary>
    Listing<ListedPeer> Peers(ProjectId project, int page, int limit);

    /// <summary>Those online, by reputation.</summary>
    IReadOnlyList<ListedPeer> TopPeers(ProjectId project, int limit);

    IReadOnlyList<CategoryView> Categories(ProjectId project);

    /// <summary>Who has it and is online; of more than the limit so many, by chance.</summary>
    HolderSample Holders(ProjectId project, ContentHash file, int limit);

    /// <summary>All chunks of a file.</summary>
    ValueTask<ChunkListJson> ChunksAsync(ListedFile file, CancellationToken cancellationToken);
}

/// <summary>Who calls, about which peer, and from where.</summary>
/// <param name="Origin">Null when it is not known, as in a test without a network.</param>
public readonly record struct PeerCall(TrackerCaller Caller, string PeerId, IPAddress? Origin)
{
    /// <summary>For the log of events.</summary>
    public Domain.Audit.ActorType ActorType { get; init; }

    public Guid? ActorId { get; init; }

    public static PeerCall Of(ITrackerCaller tracker, ICaller caller, string peerId)
    {
        var (type, id) = caller.Actor();
        return new PeerCall(tracker.Current, peerId, IPAddress.TryParse(caller.IpAddress, out var origin) ? origin : null) { ActorType = type, ActorId = id };
    }
}

public readonly record struct Registration(string? Hostname, IPAddress Address, int Port);

/// <summary>Whether the tracker knows the peer.</summary>
public sealed record KnownPeer(bool IsKnown);

/// <summary>A peer as memory has it at this moment.</summary>
public sealed record ListedPeer(
    string PeerId,
    string? Hostname,
    IPAddress Address,
    int Port,
    Guid? Credential,
    bool IsOnline,
    DateTimeOffset RegisteredAt,
    DateTimeOffset LastSeenAt,
    long Uploaded,
    long Downloaded,
    int FilesShared)
{
    public double ReputationAt(DateTimeOffset now) => Reputation.Of(Uploaded, Downloaded, FilesShared, now - RegisteredAt);
}

/// <param name="Id">The tracker's own.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ChunkSize">Bytes of each chunk but the last.</param>
/// <param name="Seeders">Who has all of it and is online.</param>
public sealed record ListedFile(
    long Id, ContentHash Hash, string Name, long Size, int ChunkSize, int ChunkCount, string Category, string AddedBy, DateTimeOffset AddedAt, int Seeders);

/// <summary>One page of a list, and how long the list is.</summary>
public sealed record Listing<T>(IReadOnlyList<T> Items, int Total);

/// <param name="Text">Anywhere in the name, without regard to case; null for all.</param>
/// <param name="Category">Null for all.</param>
public readonly record struct FileFilter(string? Text, string? Category);

/// <param name="Category"><c>video</c>, <c>audio</c>, <c>document</c>, <c>image</c>, <c>software</c> or <c>other</c>.</param>
/// <param name="TotalSize">Bytes.</param>
public sealed record CategoryView(string Category, int FileCount, long TotalSize);
