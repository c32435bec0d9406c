using System.Text.Json;
using System.Text.Json.Serialization;
using Vtp.Domain.Realtime;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>The numbers of a dashboard at one moment, the same for everybody who watches it.</summary>
/// <param name="ActiveUsers">Accounts that have shown an access token within 15 minutes; of an organization, those of its members.</param>
/// <param name="GoalCompletions">Null: there are no goals to complete yet.</param>
/// <param name="SystemHealth">Of the node that counted.</param>
public sealed record DashboardMetrics(
    [property: JsonPropertyName("activeUsers")] int ActiveUsers,
    [property: JsonPropertyName("goalCompletions")] int? GoalCompletions,
    [property: JsonPropertyName("systemHealth")] DashboardHealth SystemHealth,
    DateTimeOffset Timestamp);

/// <summary>How the server does. An organization is told the status alone.</summary>
/// <param name="Status"><c>healthy</c>, or <c>degraded</c> when more than one request in twenty failed within five minutes.</param>
/// <param name="ResponseTime">Milliseconds, the average of the last thousand requests; null before the first.</param>
/// <param name="Uptime">Seconds.</param>
/// <param name="ErrorRate">0 to 1, of five minutes; null when there were no requests.</param>
public sealed record DashboardHealth(
    string Status,
    [property: JsonPropertyName("responseTime")] double? ResponseTime,
    long? Uptime,
    [property: JsonPropertyName("errorRate")] double? ErrorRate,
    DashboardMemory? Memory)
{
    public const string Healthy = "healthy";
    public const string Degraded = "degraded";
    public const string Unhealthy = "unhealthy";
}

/// <param name="Used">Mebibytes of the process.</param>
/// <param name="Total">Mebibytes that it may use.</param>
public sealed record DashboardMemory(long Used, long Total);

/// <summary>Something that somebody did.</summary>
/// <param name="Id">Of the entry in the audit trail, or of the message that told it.</param>
/// <param name="UserId">Null for people who are not known, and for programs.</param>
/// <param name="Name">Of the person; null likewise.</param>
/// <param name="Action">A name of docs/audit-actions.md, or what an administrator said.</param>
/// <param name="Details">Of an entry of the trail: <c>resource</c>, <c>resourceId</c>, <c>outcome</c>, <c>organizationId</c>.</param>
/// <param name="TriggeredBy">The administrator who told it; null for what happened by itself.</param>
public sealed record DashboardActivity(
    Guid Id,
    [property: JsonPropertyName("userId")] Guid? UserId,
    string? Name,
    string Action,
    JsonElement? Details,
    DateTimeOffset Timestamp,
    [property: JsonPropertyName("triggeredBy")] Guid? TriggeredBy,
    [property: JsonPropertyName("serverTimestamp")] DateTimeOffset ServerTimestamp);

/// <summary>Numbers that were sent to dashboards.</summary>
/// <param name="Type">What they are: <c>metrics_update</c> each five seconds, or any other name.</param>
/// <param name="Metadata">Of what an administrator sent: theirs, <c>triggeredBy</c> and <c>manual</c>.</param>
public sealed record DashboardUpdate(
    string Type,
    JsonElement Data,
    DateTimeOffset Timestamp,
    JsonElement? Metadata,
    [property: JsonPropertyName("serverTimestamp")] DateTimeOffset ServerTimestamp);

/// <summary>What those who watch ought to know.</summary>
/// <param name="Source">What it is about, or what noticed it: a node, <c>webhooks</c>, or any name.</param>
public sealed record DashboardAlertView(
    Guid Id, AlertLevel Level, string Message, string Source, DateTimeOffset Timestamp, JsonElement? Metadata);
