using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Rooms.Recordings;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.LiveKit;

namespace Vtp.Application.Rooms.LiveKit;

/// <summary>
/// Takes what LiveKit tells, once it is proven to come from there: 200 means that it is kept, and so does the 200 of a repetition.
/// </summary>
/// <param name="Authorization">The header: a JWT.</param>
/// <param name="Body">Its very bytes, which are what is signed.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.LiveKit)]
public sealed record ReceiveLiveKitEventCommand(string? Authorization, ReadOnlyMemory<byte> Body) : ICommand<LiveKitEventReceived>;

public sealed record LiveKitEventReceived(string Message);

/// <summary>The events that LiveKit told.</summary>
public interface ILiveKitEvents
{
    /// <summary>Returns when the event is kept for good; one whose id is there already changes nothing.</summary>
    Task KeepAsync(LiveKitEvent received, CancellationToken cancellationToken);
}

internal sealed class ReceiveLiveKitEventValidator : AbstractValidator<ReceiveLiveKitEventCommand>
{
    public ReceiveLiveKitEventValidator() => RuleFor(command => command.Body.Length).GreaterThan(0).OverridePropertyName("body").WithMessage("There is no body.");
}

internal sealed class ReceiveLiveKitEventHandler(LiveKitKeys keys, ILiveKitEvents events, IRoomRecordings recordings, RecordingNews news, TimeProvider clock)
    : IRequestHandler<ReceiveLiveKitEventCommand, Result<LiveKitEventReceived>>
{
    public async Task<Result<LiveKitEventReceived>> Handle(ReceiveLiveKitEventCommand request, CancellationToken cancellationToken)
    {
        if (keys.IsEmpty)
        {
            return LiveKitRefusals.NotConfigured;
        }

        if (keys.Refuses(request.Authorization, request.Body.Span, clock.GetUtcNow()) is { } refusal)
        {
            return refusal;
        }

        if (LiveKitEvent.Read(request.Body.Span) is not { } received)
        {
            return LiveKitRefusals.Malformed;
        }

        await events.KeepAsync(received, cancellationToken);

        // LiveKit tells again what was not answered with 200: each is kept and settled once however often.
        if (EgressReport.Read(received, clock.GetUtcNow()) is { } report && await recordings.SettleAsync(report, cancellationToken) is { } recording)
        {
            await news.TellAsync(recording);
        }

        return new LiveKitEventReceived("Event received.");
    }
}
