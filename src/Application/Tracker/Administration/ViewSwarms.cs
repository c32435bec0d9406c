using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Tracker.Relay;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Administration;

/// <summary>A project's swarms at one look: its newest peers and files, and what its relay carries.</summary>
/// <param name="ProjectId">Whose; the public project when absent.</param>
/// <param name="Tracker">How the caller reached this server, for magnet links.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record ViewSwarmsQuery(Guid? ProjectId, string Tracker) : IQuery<SwarmsView>, IAboutTracker;

/// <param name="SeesAddresses">Whether the caller administers the swarms; nobody else is told where peers are.</param>
/// <param name="Peers">The newest.</param>
/// <param name="Files">The newest.</param>
public sealed record SwarmsView(
    Guid ProjectId, bool SeesAddresses, TrackerCounts Counts, int RelayPeers, RelayTraffic Traffic, IReadOnlyList<ListedPeer> Peers, IReadOnlyList<SwarmFileView> Files);

/// <param name="Magnet">By which peers find it.</param>
public sealed record SwarmFileView(ListedFile File, string Magnet);

internal sealed class ViewSwarmsHandler(ISwarms swarms, IPeerDirectory peers, IRelay relay, ITrackerCaller tracker)
    : IRequestHandler<ViewSwarmsQuery, Result<SwarmsView>>
{
    private const int Shown = 50;

    public Task<Result<SwarmsView>> Handle(ViewSwarmsQuery request, CancellationToken cancellationToken)
    {
        var project = tracker.Current.Project;
        return Task.FromResult<Result<SwarmsView>>(new SwarmsView(
            project.Value,
            SeesAddresses: tracker.Current.Role == TrackerRole.Admin,
            peers.Count(project),
            relay.Count(project),
            relay.TrafficOf(project),
            swarms.Peers(project, page: 1, Shown).Items,
            [.. swarms.Files(project, default, page: 1, Shown).Items.Select(file => new SwarmFileView(file, Link(file, request.Tracker)))]));
    }

    private static string Link(ListedFile file, string tracker) =>
        new Magnet(file.Hash, file.Name, file.Size, [tracker], file.ChunkSize, file.ChunkCount).ToString();
}
