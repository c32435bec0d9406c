using System.Text.Json;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>Sends numbers to everybody who watches the installation's dashboard.</summary>
/// <param name="Type">What they are, in a word: <c>goal_completion</c>.</param>
/// <param name="Data">Any JSON of at most 16,384 bytes.</param>
/// <param name="Metadata">An object; <c>triggeredBy</c> and <c>manual</c> are added.</param>
[Requires(Permission.Operate)]
[RateLimited(RateLimitPolicies.DashboardBroadcast)]
[Audited(AuditActions.DashboardAnalyticsBroadcast)]
public sealed record BroadcastAnalyticsCommand(string? Type, JsonElement? Data, JsonElement? Metadata) : ICommand<AnalyticsBroadcast>;

/// <param name="Success">Always true; a refusal is a problem.</param>
/// <param name="Update">As it was sent.</param>
public sealed record AnalyticsBroadcast(bool Success, string Message, DashboardUpdate Update);

internal sealed class BroadcastAnalyticsValidator : AbstractValidator<BroadcastAnalyticsCommand>
{
    public BroadcastAnalyticsValidator()
    {
        RuleFor(command => command.Type).IsWord();
        RuleFor(command => command.Data).IsData();
        RuleFor(command => command.Metadata).IsObject();
    }
}

internal sealed class BroadcastAnalyticsHandler(ITopics topics, ICaller caller, TimeProvider clock)
    : IRequestHandler<BroadcastAnalyticsCommand, Result<AnalyticsBroadcast>>
{
    public async Task<Result<AnalyticsBroadcast>> Handle(BroadcastAnalyticsCommand request, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var update = new DashboardUpdate(request.Type!, request.Data!.Value, now, DashboardMessages.Signed(request.Metadata, caller), now);
        return (await topics.PublishAsync(DashboardMessages.Of(DashboardScope.Installation, DashboardMessages.AnalyticsUpdate, update), cancellationToken))
            .Match<Result<AnalyticsBroadcast>>(_ => new AnalyticsBroadcast(true, "The numbers were sent.", update), refusal => refusal);
    }
}
