using System.Net;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Peers;

/// <summary>
/// A peer says that it is there, and where. From then on it is told of to those who look for a file that it announces, for
/// as long as its heartbeats come.
/// </summary>
/// <param name="PeerId">A new UUID at each start; 8 to 128 letters, digits and <c>. _ : -</c>.</param>
/// <param name="Ip">As the peer has found out. Whether it counts, or where the request came from, the operator decides; loopback never does.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Hostname">For people; 253 characters at most.</param>
[Requires(Permission.ShareFiles)]
[RateLimited(RateLimitPolicies.TrackerRegister)]
public sealed record RegisterPeerCommand([property: Alias("id")] string? PeerId, string? Ip, int Port, string? Hostname) : ICommand<PeerRegistered>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => PeerId;
}

/// <param name="Message">Where the peer is listed, in words.</param>
/// <param name="Ip">Where it is listed; IPv6 in brackets.</param>
public sealed record PeerRegistered(bool Success, string Message, string Ip, int Port);

/// <summary>Whose word counts for where a peer is.</summary>
public sealed record PeerAddressPolicy(ClaimedAddresses Claimed);

internal sealed class RegisterPeerValidator : AbstractValidator<RegisterPeerCommand>
{
    public RegisterPeerValidator()
    {
        RuleFor(command => command.PeerId).IsPeerId();
        RuleFor(command => command.Port).InclusiveBetween(1, 65535).WithMessage("A port lies between 1 and 65535.");
        RuleFor(command => command.Hostname).IsHostname();
    }
}

internal sealed class RegisterPeerHandler(ISwarms swarms, ITrackerCaller tracker, ICaller caller, PeerAddressPolicy policy)
    : IRequestHandler<RegisterPeerCommand, Result<PeerRegistered>>
{
    public async Task<Result<PeerRegistered>> Handle(RegisterPeerCommand request, CancellationToken cancellationToken)
    {
        var call = PeerCall.Of(tracker, caller, request.PeerId!);
        if (!PeerAddress.TryDecide(request.Ip, call.Origin ?? IPAddress.Loopback, policy.Claimed, out var address))
        {
            return Refusal.Field("ip", "peer.address_refused", "This is no address that a peer could be reached at.");
        }

        var hostname = string.IsNullOrWhiteSpace(request.Hostname) ? null : request.Hostname;
        if (!(await swarms.RegisterAsync(call, new Registration(hostname, address, request.Port), cancellationToken)).TryGet(out var listed, out var refusal))
        {
            return refusal;
        }

        var ip = PeerAddress.Text(listed.Address);
        return new PeerRegistered(true, $"Registered at {ip}:{listed.Port}.", ip, listed.Port);
    }
}
