using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>Whose dashboard it is: one organization's, or the installation's where there is none.</summary>
public readonly record struct DashboardScope(OrganizationId? Organization)
{
    private const string TopicPrefix = "dashboard:";

    public static readonly DashboardScope Installation;

    public bool IsInstallation => Organization is null;

    /// <summary>As tables and topics know it; the nil UUID for the installation.</summary>
    public Guid Id => (Organization ?? OrganizationId.Installation).Value;

    /// <summary>Where numbers and activity are published.</summary>
    public string Topic => $"{TopicPrefix}{Id}";

    /// <summary>In the log of events, where alerts come from.</summary>
    public string EventTopic => TopicNames.OfOrganization(Id);

    /// <summary>Whether it is one of these two, of any dashboard.</summary>
    public static bool HasTopic(string topic) => topic.StartsWith(TopicPrefix, StringComparison.Ordinal) || TopicNames.OrganizationOf(topic) is not null;
}

/// <summary>What of a dashboard somebody can follow.</summary>
public static class DashboardStreams
{
    public const string Analytics = "analytics_updates";
    public const string UserActivity = "user_activity";
    public const string Alerts = "system_alerts";
    public const string Administration = "admin_dashboard";

    /// <summary>Follows nothing by itself; older clients name it.</summary>
    public const string Dashboard = "dashboard";

    public static readonly IReadOnlyList<string> All = [Dashboard, Administration, Alerts, Analytics, UserActivity];

    /// <summary>How the server itself does is the business of those who run it.</summary>
    public static IReadOnlyList<string> Of(DashboardScope scope) =>
        scope.IsInstallation ? All : [.. All.Where(stream => stream != Administration)];

    /// <param name="filter">Goes with the interests, so that it holds on another node too.</param>
    public static IReadOnlyList<TopicInterest> Interests(DashboardScope scope, IReadOnlyCollection<string> streams, string? filter)
    {
        List<string> names =
        [
            .. streams.Select(stream => stream switch
            {
                Analytics => DashboardMessages.AnalyticsUpdate,
                Administration => DashboardMessages.SystemHealth,
                UserActivity => DashboardMessages.UserActivity,
                _ => null,
            }).OfType<string>().Distinct(StringComparer.Ordinal),
        ];
        var interests = new List<TopicInterest>();
        if (names.Count > 0)
        {
            interests.Add(new TopicInterest(scope.Topic, names, filter));
        }

        if (streams.Contains(Alerts, StringComparer.Ordinal))
        {
            interests.Add(new TopicInterest(scope.EventTopic, DashboardNotice.EventsThatAlert, filter));
        }

        return interests;
    }
}
