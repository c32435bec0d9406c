using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Administration;

/// <summary>A file is taken out of the tracker. Peers that have it keep it, and may announce it again.</summary>
/// <param name="Hash">64 hexadecimal digits.</param>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
[Requires(Permission.ManageSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
[Audited(AuditActions.TrackerFileRemoved)]
public sealed record RemoveFileCommand(string Hash, Guid? ProjectId) : ICommand<FileRemoved>, IAboutTracker;

public sealed record FileRemoved(string Message, string Hash);

internal sealed class RemoveFileValidator : AbstractValidator<RemoveFileCommand>
{
    public RemoveFileValidator() =>
        RuleFor(command => command.Hash).Must(hash => ContentHash.TryParse(hash, out _)).WithMessage("A hash has 64 hexadecimal digits.");
}

internal sealed class RemoveFileHandler(ISwarms swarms, ITrackerCaller tracker, ICaller caller, AuditSubject audit) : IRequestHandler<RemoveFileCommand, Result<FileRemoved>>
{
    public async Task<Result<FileRemoved>> Handle(RemoveFileCommand request, CancellationToken cancellationToken)
    {
        if (!ContentHash.TryParse(request.Hash, out var hash))
        {
            return TrackerRefusals.NoHash("hash");
        }

        audit.TargetName = hash.ToString();
        return (await swarms.RemoveFileAsync(PeerCall.Of(tracker, caller, ""), hash, cancellationToken)).TryGet(out _, out var refusal)
            ? new FileRemoved("File removed", hash.ToString())
            : refusal;
    }
}
