using System.Net;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Relay;

/// <summary>
/// Who may be whom at the relay. A credential speaks for the peers that it registered. Peers of the field send none to the
/// relay: such a caller is the peer that registered from the very address that it connects from. An id that nobody has
/// registered may ask for chunks, so that a download need not register.
/// </summary>
public sealed class RelayAdmission(ITrackerCaller tracker, ICaller caller, ITrackerKeys keys, IPeerDirectory peers)
{
    public async ValueTask<Result<RelaySeat>> AdmitAsync(string peerId, IPAddress address, CancellationToken cancellationToken)
    {
        if (caller is { SignedIn: null, Key: null, Tracker: null, Rejected: null })
        {
            return AdmitKeyless(peerId, address);
        }

        if (!(await tracker.FindAsync(project: null, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        if (found.PeerId is { } only && !string.Equals(only, peerId, StringComparison.Ordinal))
        {
            return TrackerRefusals.NotYourPeer;
        }

        var registered = peers.Find(found.Project, peerId);
        if (registered is null)
        {
            return new RelaySeat(found.Project, peerId, IsPeer: false, found.Credential, address);
        }

        // Whoever administers the swarm may remove a peer, but is none for that.
        var asPeer = found.Role == TrackerRole.Admin ? found with { Role = TrackerRole.Peer } : found;
        return asPeer.SpeaksFor(registered.Credential, peerId)
            ? new RelaySeat(found.Project, peerId, IsPeer: true, registered.Credential, address)
            : TrackerRefusals.NotYourPeer;
    }

    /// <summary>
    /// As whom a connection takes part by now. That it is the peer which registered was shown when it came: that the peer's
    /// address may have changed since does not end it.
    /// </summary>
    /// <returns>Null when it may not any more.</returns>
    public async ValueTask<RelaySeat?> AdmitAgainAsync(RelaySeat seat, bool isKeyless, CancellationToken cancellationToken)
    {
        if (isKeyless && seat.IsPeer)
        {
            return peers.Find(seat.Project, seat.PeerId) is { } registered && registered.Credential == seat.Credential ? seat : null;
        }

        return (await AdmitAsync(seat.PeerId, seat.Address, cancellationToken)).TryGet(out var now, out _) && now.Project == seat.Project ? now : null;
    }

    private Result<RelaySeat> AdmitKeyless(string peerId, IPAddress address)
    {
        var known = peers.FindAnywhere(peerId);
        if (known.Count == 0)
        {
            return keys.Keyless is { } open
                ? new RelaySeat(open.Project, peerId, IsPeer: false, Credential: null, address)
                : TrackerRefusals.Unauthenticated;
        }

        // The same id may stand in two projects; which one is meant only a credential can tell.
        return known.Where(peer => Plain(peer.Origin).Equals(Plain(address))).ToList() is [var only]
            ? new RelaySeat(only.Project, peerId, IsPeer: true, only.Credential, address)
            : TrackerRefusals.NotYourPeer;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
