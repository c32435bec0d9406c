using System.Net;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Relay;

/// <summary>Decides as whom a connection takes part in the relay. Also callers without a key may, as far as they are a peer or ask for chunks.</summary>
/// <param name="PeerId">As registered; of a caller who only asks for chunks any id that nobody has.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record JoinRelayQuery(string? PeerId) : IQuery<RelaySeat>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => PeerId;
}

internal sealed class JoinRelayValidator : AbstractValidator<JoinRelayQuery>
{
    public JoinRelayValidator() => RuleFor(query => query.PeerId).Custom((peerId, context) =>
    {
        if (PeerName.Fault(peerId) is { } fault)
        {
            context.AddFailure(fault);
        }
    });
}

internal sealed class JoinRelayHandler(RelayAdmission admission, ICaller caller) : IRequestHandler<JoinRelayQuery, Result<RelaySeat>>
{
    public async Task<Result<RelaySeat>> Handle(JoinRelayQuery request, CancellationToken cancellationToken) =>
        await admission.AdmitAsync(request.PeerId!, IPAddress.TryParse(caller.IpAddress, out var address) ? address : IPAddress.None, cancellationToken);
}
