using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Domain.Webhooks;

public enum WebhookPayload
{
    /// <summary>The event with its data.</summary>
    Full,

    /// <summary>The event without its data but for the id of what it happened to; the receiver asks for the rest.</summary>
    Thin,
}

public enum WebhookOrdering
{
    /// <summary>Each delivery goes when it can.</summary>
    None,

    /// <summary>Of what happened to one thing, the next one waits until the one before it is delivered, or has failed four times.</summary>
    Subject,
}

/// <param name="Url">As <see cref="WebhookUrlRules"/> lets it.</param>
/// <param name="EventTypes">Types, or beginnings of them like <c>project.*</c>; none means all.</param>
/// <param name="SignsBody">Also sends <c>X-Webhook-Signature: sha256=</c>, for receivers that verify the body alone.</param>
/// <param name="RetrySeconds">Waits before the second attempt, the third and so on; null for those of Standard Webhooks.</param>
public sealed record WebhookSettings(
    string Url,
    string? Description,
    IReadOnlyList<string> EventTypes,
    WebhookPayload Payload,
    WebhookOrdering Ordering,
    bool SignsBody,
    IReadOnlyList<int>? RetrySeconds);

/// <summary>Where a project's events are sent.</summary>
public sealed class WebhookEndpoint : Aggregate, IOfProject
{
    public const int MaximumDescription = 500;
    public const int MaximumEventTypes = 50;
    public const int MaximumRetries = 20;
    public static readonly TimeSpan LongestRetry = TimeSpan.FromDays(3);

    private WebhookEndpoint(Guid id, OrganizationId organizationId, ProjectId projectId, DateTimeOffset createdAt) =>
        (Id, OrganizationId, ProjectId, CreatedAt, UpdatedAt) = (id, organizationId, projectId, createdAt, createdAt);

    public Guid Id { get; private set; }

    public OrganizationId OrganizationId { get; private set; }

    public ProjectId ProjectId { get; private set; }

    public string Url { get; private set; } = "";

    public string? Description { get; private set; }

    public string[] EventTypes { get; private set; } = [];

    public WebhookPayload Payload { get; private set; }

    public WebhookOrdering Ordering { get; private set; }

    public bool SignsBody { get; private set; }

    /// <summary>Signs with a key pair instead of a shared secret: its receivers need to keep nothing secret.</summary>
    public bool SignsAsymmetrically { get; private set; }

    public int[]? RetrySeconds { get; private set; }

    /// <summary>False while its owners have switched it off; nothing is sent, and nothing kept for it.</summary>
    public bool IsEnabled { get; private set; } = true;

    /// <summary>It is what the project's own <c>webhook_url</c> stands for, and follows that.</summary>
    public bool IsOfProject { get; private set; }

    public AccountId? CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset UpdatedAt { get; private set; }

    public RetrySchedule Retries => RetrySeconds is { } seconds
        ? new RetrySchedule(Array.ConvertAll(seconds, second => TimeSpan.FromSeconds(second)))
        : RetrySchedule.Standard;

    public static WebhookEndpoint For(Project project, WebhookSettings settings, bool signsAsymmetrically, AccountId? createdBy, DateTimeOffset now)
    {
        var endpoint = new WebhookEndpoint(Uuid.NewVersion7(now), project.OrganizationId, project.Id, now)
        {
            SignsAsymmetrically = signsAsymmetrically,
            CreatedBy = createdBy,
        };
        endpoint.Take(settings, now);
        endpoint.Raise(new WebhookEvents.Created(endpoint.Id, endpoint.Url, endpoint.EventTypes));
        return endpoint;
    }

    /// <summary>For the one <c>webhook_url</c> of a project as older clients know it: all events, the body signed.</summary>
    public static WebhookEndpoint OfProjectUrl(Project project, string url, AccountId? createdBy, DateTimeOffset now)
    {
        var settings = new WebhookSettings(
            url, "The project's webhook_url", EventTypes: [], WebhookPayload.Full, WebhookOrdering.None, SignsBody: true, RetrySeconds: null);
        var endpoint = For(project, settings, signsAsymmetrically: false, createdBy, now);
        endpoint.IsOfProject = true;
        return endpoint;
    }

    public override EventSource Source() => new(OrganizationId, ProjectId, Id.ToString());

    public void Change(WebhookSettings settings, bool isEnabled, DateTimeOffset now)
    {
        Take(settings, now);
        IsEnabled = isEnabled;
        Raise(new WebhookEvents.Updated(Id, Url, EventTypes, IsEnabled));
    }

    public void MoveTo(string url, DateTimeOffset now)
    {
        (Url, UpdatedAt) = (url, now);
        Raise(new WebhookEvents.Updated(Id, Url, EventTypes, IsEnabled));
    }

    public void Enable(DateTimeOffset now)
    {
        (IsEnabled, UpdatedAt) = (true, now);
        Raise(new WebhookEvents.Enabled(Id, Url));
    }

    public void RotateSecret(DateTimeOffset oldExpiresAt) => Raise(new WebhookEvents.SecretRotated(Id, Url, oldExpiresAt));

    /// <summary>Says it; whoever says it deletes the row.</summary>
    public void Remove() => Raise(new WebhookEvents.Deleted(Id, Url));

    /// <summary>An event for this endpoint alone.</summary>
    public void Test() => Raise(new WebhookEvents.Tested(Id, "This is a test. If you can read it, and its signature is right, all is well."));

    /// <summary>What its owners are told, by mail and as an event, when it fails for long.</summary>
    public void Report(FailureMilestone milestone, DisabledReason? reason, DateTimeOffset? failingSince) => Raise(
        milestone == FailureMilestone.Disabled
            ? new WebhookEvents.Disabled(Id, Url, reason ?? DisabledReason.Failing)
            : new WebhookEvents.Failing(Id, Url, failingSince));

    private void Take(WebhookSettings settings, DateTimeOffset now)
    {
        (Url, Description, EventTypes) = (settings.Url, settings.Description, [.. settings.EventTypes]);
        (Payload, Ordering, SignsBody) = (settings.Payload, settings.Ordering, settings.SignsBody);
        (RetrySeconds, UpdatedAt) = (settings.RetrySeconds?.ToArray(), now);
    }
}
