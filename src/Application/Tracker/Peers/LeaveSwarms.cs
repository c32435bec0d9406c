using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Peers;

/// <summary>A peer stops: nobody is told of it any more. One that is not known has left already.</summary>
[Requires(Permission.ShareFiles)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record LeaveSwarmsCommand(string PeerId) : ICommand<PeerHasLeft>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => PeerId;
}

public sealed record PeerHasLeft(bool Success);

internal sealed class LeaveSwarmsValidator : AbstractValidator<LeaveSwarmsCommand>
{
    public LeaveSwarmsValidator() => RuleFor(command => command.PeerId).IsPeerId();
}

internal sealed class LeaveSwarmsHandler(ISwarms swarms, ITrackerCaller tracker, ICaller caller) : IRequestHandler<LeaveSwarmsCommand, Result<PeerHasLeft>>
{
    public async Task<Result<PeerHasLeft>> Handle(LeaveSwarmsCommand request, CancellationToken cancellationToken) =>
        (await swarms.LeaveAsync(PeerCall.Of(tracker, caller, request.PeerId), PeerLeaving.Left, cancellationToken)).TryGet(out _, out var refusal)
            ? new PeerHasLeft(true)
            : refusal;
}
