using System.Globalization;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Peers;

/// <summary>The peers that are online and have given most for what they took.</summary>
/// <param name="Limit">1 to 100; 10 for anything else.</param>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record ListTopPeersQuery(string? Limit, Guid? ProjectId) : IQuery<TopPeers>, IAboutTracker;

public sealed record TopPeers(int Count, IReadOnlyList<TopPeer> Peers);

/// <param name="Reputation">0 to 100; 50 to begin with.</param>
/// <param name="Ratio">Bytes given for each byte taken; 0 for who has taken nothing.</param>
public sealed record TopPeer(string Id, string Hostname, double Reputation, long BytesUploaded, long BytesDownloaded, int FilesShared, double Ratio);

internal sealed class ListTopPeersHandler(ISwarms swarms, ITrackerCaller tracker, TimeProvider clock) : IRequestHandler<ListTopPeersQuery, Result<TopPeers>>
{
    private const int Default = 10;

    public Task<Result<TopPeers>> Handle(ListTopPeersQuery request, CancellationToken cancellationToken)
    {
        var limit = int.TryParse(request.Limit, NumberStyles.None, CultureInfo.InvariantCulture, out var asked) && asked is >= 1 and <= 100 ? asked : Default;
        var now = clock.GetUtcNow();
        IReadOnlyList<TopPeer> peers = [.. swarms.TopPeers(tracker.Current.Project, limit).Select(peer => new TopPeer(
            peer.PeerId, peer.Hostname ?? "", peer.ReputationAt(now), peer.Uploaded, peer.Downloaded, peer.FilesShared, Math.Round(Reputation.Ratio(peer.Uploaded, peer.Downloaded), 4)))];
        return Task.FromResult<Result<TopPeers>>(new TopPeers(peers.Count, peers));
    }
}
