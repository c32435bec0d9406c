using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Tracker.Peers;

/// <summary>What a peer has given and taken since it reported last. A peer that is not known reports to nobody.</summary>
/// <param name="BytesUploaded">Since the last report; 1 PiB at most.</param>
/// <param name="BytesDownloaded">Likewise.</param>
[Requires(Permission.ShareFiles)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record ReportTrafficCommand([property: Alias("id")] string? PeerId, long BytesUploaded, long BytesDownloaded) : ICommand<TrafficReported>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => PeerId;
}

public sealed record TrafficReported(bool Success);

internal sealed class ReportTrafficValidator : AbstractValidator<ReportTrafficCommand>
{
    private const long Most = 1L << 50;

    public ReportTrafficValidator()
    {
        RuleFor(command => command.PeerId).IsPeerId();
        RuleFor(command => command.BytesUploaded).InclusiveBetween(0, Most).WithMessage("Report 0 to 1 PiB, since the last report.");
        RuleFor(command => command.BytesDownloaded).InclusiveBetween(0, Most).WithMessage("Report 0 to 1 PiB, since the last report.");
    }
}

internal sealed class ReportTrafficHandler(ISwarms swarms, ITrackerCaller tracker, ICaller caller)
    : IRequestHandler<ReportTrafficCommand, Result<TrafficReported>>
{
    public async Task<Result<TrafficReported>> Handle(ReportTrafficCommand request, CancellationToken cancellationToken) =>
        (await swarms.ReportAsync(PeerCall.Of(tracker, caller, request.PeerId!), request.BytesUploaded, request.BytesDownloaded, cancellationToken)).TryGet(out _, out var refusal)
            ? new TrafficReported(true)
            : refusal;
}
