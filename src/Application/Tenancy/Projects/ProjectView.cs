using Vtp.Application.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Projects;

/// <summary>A project.</summary>
/// <param name="OrgId">The organization that has it.</param>
/// <param name="PulseApiKey">The publishable key of its pair: whole in the answer that creates it, its first and last characters afterwards.</param>
/// <param name="WebhookUrl">Where its events are sent.</param>
/// <param name="LivekitUrl">What clients of its rooms connect to; null until the operator has set one.</param>
/// <param name="DeletedAt">Set while it can still be brought back.</param>
public sealed record ProjectView(
    Guid Id,
    Guid OrgId,
    string Name,
    string? PulseApiKey,
    string? WebhookUrl,
    StorageConfig? StorageConfig,
    string? LivekitUrl,
    Region Region,
    bool ChatEnabled,
    bool VideoEnabled,
    bool ActivityFeedEnabled,
    bool ModerationEnabled,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? DeletedAt);

internal static class ProjectQueries
{
    public static IQueryable<ProjectView> AsViews(this IQueryable<Project> projects, IVtpDb db, string? livekitUrl) => projects.Select(project => new ProjectView(
        project.Id.Value,
        project.OrganizationId.Value,
        project.Name,
        db.ApiKeys.Where(key => key.ProjectId == project.Id && key.IsOfPair && key.Kind == ApiKeyKind.Publishable && key.ReplacedBy == null)
            .Select(key => key.Preview).FirstOrDefault(),
        project.WebhookUrl,
        project.StorageConfig,
        livekitUrl,
        project.Region,
        project.ChatEnabled,
        project.VideoEnabled,
        project.ActivityFeedEnabled,
        project.ModerationEnabled,
        project.CreatedAt,
        project.UpdatedAt,
        project.DeletedAt));
}
