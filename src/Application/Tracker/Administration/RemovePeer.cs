using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Administration;

/// <summary>A peer is put out of all swarms. It may register again: what keeps it out is revoking its key.</summary>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
[Requires(Permission.ManageSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
[Audited(AuditActions.TrackerPeerRemoved)]
public sealed record RemovePeerCommand(string PeerId, Guid? ProjectId) : ICommand<PeerRemoved>, IAboutTracker;

public sealed record PeerRemoved(string Message, string PeerId);

internal sealed class RemovePeerValidator : AbstractValidator<RemovePeerCommand>
{
    public RemovePeerValidator() => RuleFor(command => command.PeerId).IsPeerId();
}

internal sealed class RemovePeerHandler(ISwarms swarms, ITrackerCaller tracker, ICaller caller, AuditSubject audit) : IRequestHandler<RemovePeerCommand, Result<PeerRemoved>>
{
    public async Task<Result<PeerRemoved>> Handle(RemovePeerCommand request, CancellationToken cancellationToken)
    {
        audit.TargetName = request.PeerId;
        if (!(await swarms.LeaveAsync(PeerCall.Of(tracker, caller, request.PeerId), PeerLeaving.Removed, cancellationToken)).TryGet(out var known, out var refusal))
        {
            return refusal;
        }

        return known.IsKnown ? new PeerRemoved("Peer removed", request.PeerId) : TrackerRefusals.PeerNotFound;
    }
}
