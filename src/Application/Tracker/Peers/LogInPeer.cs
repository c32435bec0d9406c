using System.Net;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Peers;

/// <summary>
/// A token for one peer, in place of the key that it is issued for: it may do what the key may, but speak for this peer
/// alone, and ends with the key or after 24 hours.
/// </summary>
/// <param name="PeerId">8 to 128 letters, digits and <c>. _ : -</c>.</param>
/// <param name="Hostname">Of clients that send it; not kept.</param>
/// <param name="ApiKey">A key of the project, unless it is sent as X-API-Key.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.SignInAddress)]
public sealed record LogInPeerCommand([property: Alias("id")] string? PeerId, string? Hostname, string? ApiKey) : ICommand<PeerLoggedIn>;

/// <param name="Token">Send it as <c>Authorization: Bearer</c>.</param>
/// <param name="Role">What its key is to the tracker.</param>
public sealed record PeerLoggedIn(string Token, DateTimeOffset ExpiresAt, string PeerId, TrackerRole Role);

internal sealed class LogInPeerValidator : AbstractValidator<LogInPeerCommand>
{
    private const int MaximumKey = 1024;

    public LogInPeerValidator()
    {
        RuleFor(command => command.PeerId).IsPeerId();
        RuleFor(command => command.Hostname).IsHostname();
        RuleFor(command => command.ApiKey).MaximumLength(MaximumKey).WithMessage("This is too long for a key.");
    }
}

internal sealed class LogInPeerHandler(ITrackerKeys keys, ISwarms swarms, ICaller caller) : IRequestHandler<LogInPeerCommand, Result<PeerLoggedIn>>
{
    public async Task<Result<PeerLoggedIn>> Handle(LogInPeerCommand request, CancellationToken cancellationToken)
    {
        if (caller.Rejected is { } rejected)
        {
            return rejected;
        }

        if (request.ApiKey is not { Length: > 0 } key)
        {
            return TrackerRefusals.Unauthenticated;
        }

        var address = IPAddress.TryParse(caller.IpAddress, out var parsed) ? parsed : null;
        if (!(await keys.ReadKeyAsync(key, address, cancellationToken)).TryGet(out var credential, out var refusal))
        {
            return refusal;
        }

        var peerId = request.PeerId!;
        if (credential.Role == TrackerRole.Peer && swarms.FindPeer(credential.Project, peerId) is { } peer && !credential.ForPeer(peerId).Caller.SpeaksFor(peer.Credential, peerId))
        {
            return TrackerRefusals.NotYourPeer;
        }

        var token = keys.IssueToken(key, peerId);
        return new PeerLoggedIn(token.Text, token.ExpiresAt, peerId, credential.Role);
    }
}
