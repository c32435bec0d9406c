using System.Net;
using System.Runtime.InteropServices;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tracker.Relay;

/// <summary>One peer of one project: ids of different projects have nothing to do with each other.</summary>
public readonly record struct RelayPeer(ProjectId Project, string PeerId);

/// <summary>As whom a connection takes part in the relay.</summary>
/// <param name="IsPeer">It is the registered peer of this id; else it may only ask for chunks.</param>
/// <param name="Credential">What it has shown; null for a caller without a key.</param>
/// <param name="Address">Where it connects from.</param>
public sealed record RelaySeat(ProjectId Project, string PeerId, bool IsPeer, Guid? Credential, IPAddress Address)
{
    /// <summary>Whether this and the other one are the same caller, as far as anybody can tell.</summary>
    public bool IsCallerOf(RelaySeat other) =>
        Project == other.Project && PeerId == other.PeerId && Credential == other.Credential && (Credential is not null || Address.Equals(other.Address));
}

/// <summary>Who is connected to the relay.</summary>
public interface IRelay
{
    /// <summary>Peers of the project that are connected to this node.</summary>
    int Count(ProjectId project);

    /// <summary>What this node has carried for the project since it started.</summary>
    RelayTraffic TrafficOf(ProjectId project);

    /// <summary>Ids of the project's connected peers, on all nodes, in no order.</summary>
    Task<IReadOnlyList<string>> PeersAsync(ProjectId project, CancellationToken cancellationToken);
}

/// <param name="Messages">Taken from peers.</param>
/// <param name="Received">Bytes taken from peers.</param>
/// <param name="Sent">Bytes handed to peers.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct RelayTraffic(long Messages, long Received, long Sent);
