using System.Net;
using System.Runtime.InteropServices;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tracker;

/// <summary>Who is in which swarm, as this node's memory has it: for what carries traffic between peers and tells of them.</summary>
public interface IPeerDirectory
{
    /// <returns>Null for a peer that never registered, left, or was silent for so long that it was removed.</returns>
    RegisteredPeer? Find(ProjectId project, string peerId);

    /// <summary>In all projects: for those who come with nothing but an id.</summary>
    IReadOnlyList<RegisteredPeer> FindAnywhere(string peerId);

    TrackerCounts Count(ProjectId project);

    /// <summary>Of all projects together.</summary>
    TrackerCounts CountAll();

    /// <summary>
    /// Calls back, on every node, when its memory has learned of a change: in the order of the changes, one at a time, and
    /// while nobody else can change anything, so that it must hand over quickly what it wants done.
    /// </summary>
    IDisposable Watch(Action<TrackerChange> onChange);
}

/// <param name="Credential">Whose calls may speak for it: a key, an account, or a key together with the peer of a token.</param>
/// <param name="Origin">Where its last registration or heartbeat came from.</param>
/// <param name="IsOnline">It was heard of within the last 90 seconds or so.</param>
public sealed record RegisteredPeer(ProjectId Project, string PeerId, string? Hostname, Guid? Credential, IPAddress Origin, bool IsOnline);

/// <param name="PeersOnline">Heard of within the last 90 seconds or so.</param>
/// <param name="PeersTotal">With those that were silent for longer, and are not removed yet.</param>
/// <param name="Files">Whose metadata is kept, seeded or not.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct TrackerCounts(int PeersOnline, int PeersTotal, int Files);

/// <summary>What this node has just learned, from its own callers or from another node.</summary>
public abstract record TrackerChange(ProjectId Project)
{
    /// <param name="Ip">As the peers' protocol writes it: IPv6 in brackets.</param>
    public sealed record PeerJoined(ProjectId Project, string PeerId, string? Hostname, string Ip, int Port) : TrackerChange(Project);

    public sealed record PeerLeft(ProjectId Project, string PeerId) : TrackerChange(Project);

    /// <param name="Hash">64 hexadecimal digits.</param>
    /// <param name="Size">Bytes.</param>
    /// <param name="AddedBy">The peer that announced it first.</param>
    public sealed record FileAdded(ProjectId Project, string Hash, string Name, long Size, string AddedBy) : TrackerChange(Project);

    /// <param name="Hash">64 hexadecimal digits.</param>
    public sealed record FileRemoved(ProjectId Project, string Hash) : TrackerChange(Project);
}
