using System.Globalization;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Administration;

/// <summary>The project's peers, online and lately offline, newest first.</summary>
/// <param name="Page">From 1.</param>
/// <param name="Limit">1 to 1000; 1000 when absent.</param>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
[Requires(Permission.ManageSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record ListPeersQuery(int? Page, int? Limit, Guid? ProjectId) : IQuery<PeerList>, IAboutTracker;

/// <param name="Count">Peers on this page.</param>
/// <param name="Total">Peers on all pages.</param>
public sealed record PeerList(int Count, IReadOnlyList<PeerView> Peers, int Page, int Limit, int Total);

/// <param name="Ip">Where other peers are told to find it.</param>
/// <param name="RegisteredAt">RFC 3339 in UTC, to the second.</param>
/// <param name="LastSeen">Likewise; to about a minute for a peer whose heartbeats another node takes.</param>
public sealed record PeerView(
    string Id,
    string Ip,
    int Port,
    string Hostname,
    bool IsOnline,
    string RegisteredAt,
    string LastSeen,
    int FilesShared,
    long BytesUploaded,
    long BytesDownloaded);

internal sealed class ListPeersHandler(ISwarms swarms, ITrackerCaller tracker) : IRequestHandler<ListPeersQuery, Result<PeerList>>
{
    public Task<Result<PeerList>> Handle(ListPeersQuery request, CancellationToken cancellationToken)
    {
        var (page, limit) = TrackerRules.Clamp(request.Page, request.Limit);
        var peers = swarms.Peers(tracker.Current.Project, page, limit);
        IReadOnlyList<PeerView> views = [.. peers.Items.Select(View)];
        return Task.FromResult<Result<PeerList>>(new PeerList(views.Count, views, page, limit, peers.Total));
    }

    private static PeerView View(ListedPeer peer) => new(
        peer.PeerId,
        PeerAddress.Text(peer.Address),
        peer.Port,
        peer.Hostname ?? "",
        peer.IsOnline,
        Second(peer.RegisteredAt),
        Second(peer.LastSeenAt),
        peer.FilesShared,
        peer.Uploaded,
        peer.Downloaded);

    private static string Second(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
