using System.Text.Json.Serialization;
using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Domain.Tenancy.Projects;

/// <summary>Where a project's rooms are.</summary>
public enum Region
{
    [JsonStringEnumMemberName("us-east")]
    UsEast,

    [JsonStringEnumMemberName("us-west")]
    UsWest,

    [JsonStringEnumMemberName("eu-west")]
    EuWest,

    [JsonStringEnumMemberName("eu-central")]
    EuCentral,

    [JsonStringEnumMemberName("asia-south")]
    AsiaSouth,

    [JsonStringEnumMemberName("asia-east")]
    AsiaEast,
}

/// <summary>The bucket that a project's recordings go to.</summary>
/// <param name="AccessKeyId">Names the credential; its secret half is never here.</param>
public sealed record StorageConfig(string Provider, string Bucket, string? AccessKeyId, string? Region);

/// <param name="Chat">Absent means unchanged.</param>
public sealed record ProjectFeatures(bool? Chat, bool? Video, bool? ActivityFeed, bool? Moderation);

/// <summary>One product of an organization, with its own keys; what belongs to one project is unknown to the next.</summary>
public sealed class Project : Aggregate, IOfTenant
{
    private Project(ProjectId id, OrganizationId organizationId, string name, Region region, DateTimeOffset createdAt) =>
        (Id, OrganizationId, Name, Region, CreatedAt, UpdatedAt) = (id, organizationId, name, region, createdAt, createdAt);

    public ProjectId Id { get; private set; }

    public OrganizationId OrganizationId { get; private set; }

    public string Name { get; private set; }

    public Region Region { get; private set; }

    public string? WebhookUrl { get; private set; }

    public StorageConfig? StorageConfig { get; private set; }

    public bool ChatEnabled { get; private set; }

    public bool VideoEnabled { get; private set; } = true;

    public bool ActivityFeedEnabled { get; private set; }

    public bool ModerationEnabled { get; private set; }

    public AccountId? CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset UpdatedAt { get; private set; }

    public DateTimeOffset? DeletedAt { get; private set; }

    public static Project Create(
        OrganizationId organizationId, string name, Region region, string? webhookUrl, StorageConfig? storage, AccountId? createdBy, DateTimeOffset now)
    {
        var project = new Project(ProjectId.New(now), organizationId, name.Trim(), region, now)
        {
            WebhookUrl = webhookUrl,
            StorageConfig = storage,
            CreatedBy = createdBy,
        };
        project.Raise(new ProjectEvents.Created(project.Id.Value, project.Name, region));
        return project;
    }

    public override EventSource Source() => new(OrganizationId, Id, Id.ToString());

    /// <param name="name">Null leaves it.</param>
    /// <param name="webhookUrl">Null leaves it, an empty text removes it.</param>
    /// <param name="storage">Null leaves it.</param>
    /// <param name="features">Nulls leave them.</param>
    /// <param name="now">The time.</param>
    public void Change(string? name, string? webhookUrl, StorageConfig? storage, ProjectFeatures features, DateTimeOffset now)
    {
        Name = name?.Trim() ?? Name;
        WebhookUrl = webhookUrl is null ? WebhookUrl : webhookUrl.Length == 0 ? null : webhookUrl;
        StorageConfig = storage ?? StorageConfig;
        ChatEnabled = features.Chat ?? ChatEnabled;
        VideoEnabled = features.Video ?? VideoEnabled;
        ActivityFeedEnabled = features.ActivityFeed ?? ActivityFeedEnabled;
        ModerationEnabled = features.Moderation ?? ModerationEnabled;
        UpdatedAt = now;
        Raise(new ProjectEvents.Updated(Id.Value, Name, Region));
    }

    /// <summary>The endpoint that <see cref="WebhookUrl"/> stands for was moved or removed as an endpoint.</summary>
    public void FollowWebhook(string? url, DateTimeOffset now)
    {
        (WebhookUrl, UpdatedAt) = (url, now);
        Raise(new ProjectEvents.Updated(Id.Value, Name, Region));
    }

    public void Touch(DateTimeOffset now) => UpdatedAt = now;

    public void Delete(DateTimeOffset now)
    {
        (DeletedAt, UpdatedAt) = (now, now);
        Raise(new ProjectEvents.Deleted(Id.Value, Name));
    }

    public Refusal? Restore(DateTimeOffset now)
    {
        var refusal = SoftDelete.Undo(DeletedAt, now);
        if (refusal is null)
        {
            (DeletedAt, UpdatedAt) = (null, now);
            Raise(new ProjectEvents.Restored(Id.Value, Name));
        }

        return refusal;
    }
}

public static class ProjectRefusals
{
    public static readonly Refusal NotFound =
        new(RefusalKind.NotFound, "project.not_found", "There is no such project.");

    public static readonly Refusal TooMany =
        new(RefusalKind.Conflict, "project.too_many", "The organization has as many projects as it may.");
}
