using System.Text.Json;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>Tells everybody who watches the installation's dashboard what somebody did. What the audit trail records is told by itself.</summary>
/// <param name="UserId">The account.</param>
/// <param name="Action">What they did, in a word.</param>
/// <param name="Details">An object of at most 16,384 bytes.</param>
[Requires(Permission.Operate)]
[RateLimited(RateLimitPolicies.DashboardBroadcast)]
[Audited(AuditActions.DashboardActivityBroadcast)]
public sealed record BroadcastUserActivityCommand(Guid? UserId, string? Action, JsonElement? Details) : ICommand<UserActivityBroadcast>;

/// <param name="Success">Always true; a refusal is a problem.</param>
/// <param name="Activity">As it was sent.</param>
public sealed record UserActivityBroadcast(bool Success, string Message, DashboardActivity Activity);

internal sealed class BroadcastUserActivityValidator : AbstractValidator<BroadcastUserActivityCommand>
{
    public BroadcastUserActivityValidator()
    {
        RuleFor(command => command.UserId).NotEmpty();
        RuleFor(command => command.Action).IsWord();
        RuleFor(command => command.Details).IsObject();
    }
}

internal sealed class BroadcastUserActivityHandler(ITopics topics, ICaller caller, TimeProvider clock)
    : IRequestHandler<BroadcastUserActivityCommand, Result<UserActivityBroadcast>>
{
    public async Task<Result<UserActivityBroadcast>> Handle(BroadcastUserActivityCommand request, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var activity = new DashboardActivity(
            Uuid.NewVersion7(now), request.UserId, Name: null, request.Action!, request.Details, now, caller.SignedIn?.AccountId.Value, now);
        return (await topics.PublishAsync(DashboardMessages.Of(DashboardScope.Installation, DashboardMessages.UserActivity, activity), cancellationToken))
            .Match<Result<UserActivityBroadcast>>(_ => new UserActivityBroadcast(true, "The activity was sent.", activity), refusal => refusal);
    }
}
