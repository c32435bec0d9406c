using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Peers;

/// <summary>
/// A peer lives, and has these files: sent every 30 seconds. One that was silent is back with it, in the swarms of those
/// files that are known.
/// </summary>
/// <param name="FilesHashes">SHA-256 of each file, 64 hexadecimal digits; 10,000 at most.</param>
[Requires(Permission.ShareFiles)]
[RateLimited(RateLimitPolicies.TrackerHeartbeat)]
public sealed record SendHeartbeatCommand(
    [property: Alias("id")] string? PeerId,
    [property: Alias("files")]
    [property: Alias("files_sharing")]
    IReadOnlyList<string>? FilesHashes) : ICommand<HeartbeatTaken>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => PeerId;
}

/// <param name="NextHeartbeatIn">Seconds.</param>
/// <param name="Registered">False for a peer that the tracker does not know: it must register again.</param>
public sealed record HeartbeatTaken(bool Success, int NextHeartbeatIn, bool Registered);

internal sealed class SendHeartbeatValidator : AbstractValidator<SendHeartbeatCommand>
{
    private const int MaximumFiles = 10_000;

    public SendHeartbeatValidator()
    {
        RuleFor(command => command.PeerId).IsPeerId();
        RuleFor(command => command.FilesHashes).Must(files => files is null || files.Count <= MaximumFiles).WithMessage($"Name at most {MaximumFiles} files.");
    }
}

internal sealed class SendHeartbeatHandler(ISwarms swarms, ITrackerCaller tracker, ICaller caller)
    : IRequestHandler<SendHeartbeatCommand, Result<HeartbeatTaken>>
{
    public async Task<Result<HeartbeatTaken>> Handle(SendHeartbeatCommand request, CancellationToken cancellationToken)
    {
        var files = request.FilesHashes is { Count: > 0 } named ? new ContentHash[named.Count] : [];
        for (var index = 0; index < files.Length; index++)
        {
            if (!ContentHash.TryParse(request.FilesHashes![index], out files[index]))
            {
                return TrackerRefusals.NoHash($"files_hashes[{index}]");
            }
        }

        return (await swarms.HeartbeatAsync(PeerCall.Of(tracker, caller, request.PeerId!), files, cancellationToken)).TryGet(out var known, out var refusal)
            ? new HeartbeatTaken(true, (int)Liveness.HeartbeatEvery.TotalSeconds, known.IsKnown)
            : refusal;
    }
}
