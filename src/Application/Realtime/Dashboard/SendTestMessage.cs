using System.Globalization;
using System.Text.Json.Serialization;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>Sends a message to everybody who watches the installation's dashboard, to see that it arrives.</summary>
[Requires(Permission.Operate)]
[RateLimited(RateLimitPolicies.DashboardBroadcast)]
[Audited(AuditActions.DashboardTested)]
public sealed record SendTestMessageCommand : ICommand<TestMessageSent>;

/// <param name="Success">Always true; a refusal is a problem.</param>
/// <param name="TestMessage">As it was sent.</param>
public sealed record TestMessageSent(
    bool Success, string Message, [property: JsonPropertyName("testMessage")] DashboardUpdate TestMessage);

internal sealed class SendTestMessageHandler(ITopics topics, ICaller caller, TimeProvider clock) : IRequestHandler<SendTestMessageCommand, Result<TestMessageSent>>
{
    public async Task<Result<TestMessageSent>> Handle(SendTestMessageCommand request, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var data = DashboardMessages.Element(new
        {
            message = "This is a test.",
            testId = string.Create(CultureInfo.InvariantCulture, $"test_{now.ToUnixTimeMilliseconds()}"),
            initiatedBy = caller.SignedIn?.AccountId.Value,
        });
        var update = new DashboardUpdate("connectivity_test", data, now, Metadata: null, now);
        return (await topics.PublishAsync(DashboardMessages.Of(DashboardScope.Installation, DashboardMessages.AnalyticsUpdate, update), cancellationToken))
            .Match<Result<TestMessageSent>>(_ => new TestMessageSent(true, "The test was sent.", update), refusal => refusal);
    }
}
