using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Tracker.Relay;

/// <summary>Which peers of the project are connected to the relay now, on all nodes.</summary>
/// <param name="ProjectId">For people; keys and tokens have one.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record ListRelayPeersQuery(Guid? ProjectId) : IQuery<RelayPeers>, IAboutTracker;

/// <param name="Peers">Their ids, in no order.</param>
public sealed record RelayPeers(int Count, IReadOnlyList<string> Peers);

internal sealed class ListRelayPeersHandler(IRelay relay, ITrackerCaller tracker) : IRequestHandler<ListRelayPeersQuery, Result<RelayPeers>>
{
    public async Task<Result<RelayPeers>> Handle(ListRelayPeersQuery request, CancellationToken cancellationToken)
    {
        var peers = await relay.PeersAsync(tracker.Current.Project, cancellationToken);
        return new RelayPeers(peers.Count, peers);
    }
}
