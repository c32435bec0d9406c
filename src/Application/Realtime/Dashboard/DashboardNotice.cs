using System.Globalization;
using System.Text.Json;
using Vtp.Domain.Operations;
using Vtp.Domain.Realtime;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>One message of a topic as dashboards are told it, with what filters look at. Made once for all who are told it.</summary>
/// <param name="Event">The name that clients listen for.</param>
/// <param name="Data">UTF-8 JSON, in one line.</param>
public sealed record DashboardNotice(string Event, ReadOnlyMemory<byte> Data, string? Type, Guid? UserId, AlertLevel? Level, string? Source)
{
    private const string Raised = "system.alert_raised";
    private const string Resolved = "system.alert_resolved";
    private const string Broadcast = "dashboard.alert_raised";
    private const string WebhookFailing = "webhook.failing";
    private const string WebhookDisabled = "webhook.disabled";

    /// <summary>Events of the log that are alerts: sent by administrators, or noticed by the server itself.</summary>
    public static readonly IReadOnlyList<string> EventsThatAlert = [Raised, Resolved, Broadcast, WebhookFailing, WebhookDisabled];

    public static DashboardNotice Of(TopicMessage message)
    {
        var (name, data) = (message.Publication.Name, message.Publication.Data);
        if (TopicNames.IsOfEvents(message.Publication.Topic))
        {
            return OfEvent(data);
        }

        using var json = JsonDocument.Parse(data);
        return name == DashboardMessages.UserActivity
            ? new DashboardNotice(name, data, null, json.RootElement.GetProperty("userId") is { ValueKind: JsonValueKind.String } id ? id.GetGuid() : null, null, null)
            : new DashboardNotice(DashboardMessages.AnalyticsUpdate, data, json.RootElement.GetProperty("type").GetString(), null, null, null);
    }

    public static DashboardAlertView Of(SystemAlert alert) =>
        OfRule(alert.Id, alert.Rule, alert.Node, alert.Value, alert.Threshold, alert.RaisedAt);

    private static DashboardNotice OfEvent(ReadOnlyMemory<byte> happened)
    {
        using var json = JsonDocument.Parse(happened);
        var (type, at, data) = (json.RootElement.GetProperty("type").GetString(), json.RootElement.GetProperty("timestamp").GetDateTimeOffset(), json.RootElement.GetProperty("data"));
        var id = type == Broadcast ? data.GetProperty("id").GetGuid() : json.RootElement.GetProperty("id").GetGuid();
        var alert = type switch
        {
            Broadcast => new DashboardAlertView(
                id, data.GetProperty("level").Deserialize<AlertLevel>(DashboardMessages.Json), Text("message"), Text("source"), at, data.GetProperty("metadata").Clone()),
            Raised => OfRule(data.GetProperty("id").GetGuid(), Text("rule"), Text("node"), data.GetProperty("value").GetDouble(), data.GetProperty("threshold").GetDouble(), at),
            Resolved => new DashboardAlertView(id, AlertLevel.Info, $"Within its bounds again: {SaysOf(Text("rule"))}.", Text("node"), at, data.Clone()),
            WebhookFailing => new DashboardAlertView(id, AlertLevel.Warning, "A webhook endpoint only fails.", "webhooks", at, data.Clone()),
            _ => new DashboardAlertView(id, AlertLevel.Error, "A webhook endpoint is sent nothing more.", "webhooks", at, data.Clone()),
        };
        var told = DashboardMessages.Element(alert);
        return new DashboardNotice(DashboardMessages.SystemAlert, JsonSerializer.SerializeToUtf8Bytes(told), null, null, alert.Level, alert.Source);

        string Text(string name) => data.GetProperty(name).GetString()!;
    }

    private static DashboardAlertView OfRule(Guid id, string rule, string node, double value, double threshold, DateTimeOffset at) => new(
        id,
        AlertLevel.Warning,
        string.Create(CultureInfo.InvariantCulture, $"{SaysOf(rule)}: {value:0.###}, where {threshold:0.###} is the bound."),
        node,
        at,
        DashboardMessages.Element(new { rule, value, threshold }));

    private static string SaysOf(string rule) => AlertRule.All.FirstOrDefault(known => known.Name == rule)?.Says ?? rule;
}
