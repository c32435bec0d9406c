using FluentValidation;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Webhooks.Deliveries;
using Vtp.Domain.Events;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Endpoints;

/// <summary>What an endpoint can be told to do, as a client writes it.</summary>
public interface IWebhookSettings
{
    string? Url { get; }

    string? Description { get; }

    IReadOnlyList<string>? EventTypes { get; }

    WebhookPayload? Payload { get; }

    WebhookOrdering? Ordering { get; }

    bool? SignsBody { get; }

    IReadOnlyList<int>? RetrySeconds { get; }
}

internal abstract class WebhookSettingsValidator<T> : AbstractValidator<T>
    where T : IWebhookSettings
{
    protected WebhookSettingsValidator()
    {
        RuleFor(settings => settings.Description)
            .MaximumLength(WebhookEndpoint.MaximumDescription).WithMessage($"A description has at most {WebhookEndpoint.MaximumDescription} characters.");
        RuleFor(settings => settings.EventTypes)
            .Must(types => types is null || types.Count <= WebhookEndpoint.MaximumEventTypes).WithMessage($"Choose at most {WebhookEndpoint.MaximumEventTypes} types.")
            .Must(types => types is null || types.All(type => type is not null && EventCatalogue.IsPattern(type)))
            .WithMessage($"The types are {string.Join(", ", EventCatalogue.All.Select(kind => kind.Type))}, or beginnings of them like project.*.");
        RuleFor(settings => settings.RetrySeconds)
            .Must(seconds => seconds is null || seconds.Count <= WebhookEndpoint.MaximumRetries).WithMessage($"There are at most {WebhookEndpoint.MaximumRetries} waits.")
            .Must(seconds => seconds is null || seconds.All(second => second >= 1 && second <= WebhookEndpoint.LongestRetry.TotalSeconds))
            .WithMessage($"Each wait has from 1 to {WebhookEndpoint.LongestRetry.TotalSeconds:0} seconds.");
    }
}

internal static class WebhookSteps
{
    public const int EndpointsPerProject = 50;

    public static WebhookSettings ToSettings(this IWebhookSettings settings, Uri url) => new(
        url.AbsoluteUri,
        settings.Description,
        settings.EventTypes ?? [],
        settings.Payload ?? WebhookPayload.Full,
        settings.Ordering ?? WebhookOrdering.None,
        settings.SignsBody ?? false,
        settings.RetrySeconds);

    /// <summary>Adds an endpoint with all that belongs to it.</summary>
    /// <returns>What its receiver verifies with.</returns>
    public static string Add(this IVtpDb db, WebhookEndpoint endpoint, IEd25519 ed25519, DateTimeOffset now)
    {
        var (secret, shown) = WebhookSigningSecret.For(endpoint, ed25519, now);
        db.WebhookEndpoints.Add(endpoint);
        db.WebhookHealths.Add(WebhookHealth.Of(endpoint));
        db.WebhookSecrets.Add(secret);
        return shown;
    }

    /// <summary>Removes it with what waits for it; attempts that were made stay as long as all are kept.</summary>
    public static async Task RemoveAsync(this IVtpDb db, WebhookEndpoint endpoint, CancellationToken cancellationToken)
    {
        endpoint.Remove();
        db.WebhookEndpoints.Remove(endpoint);
        await db.WebhookDeliveries.Where(delivery => delivery.EndpointId == endpoint.Id && delivery.State == DeliveryState.Pending)
            .ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>The endpoint that a project's <c>webhook_url</c> stands for follows it: made, moved or removed with the next save.</summary>
    /// <param name="project">Whose.</param>
    /// <param name="url">The project's, as <see cref="WebhookUrlRules"/> read it; null for none.</param>
    /// <returns>The secret of one that was made.</returns>
    public static async Task<string?> PointAsync(
        this IVtpDb db, Project project, Uri? url, IEd25519 ed25519, AccountId? by, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var endpoint = await db.WebhookEndpoints.SingleOrDefaultAsync(one => one.ProjectId == project.Id && one.IsOfProject, cancellationToken);
        switch (endpoint, url)
        {
            case (null, not null):
                return db.Add(WebhookEndpoint.OfProjectUrl(project, url.AbsoluteUri, by, now), ed25519, now);
            case (not null, null):
                await db.RemoveAsync(endpoint, cancellationToken);
                break;
            case (not null, not null) when endpoint.Url != url.AbsoluteUri:
                endpoint.MoveTo(url.AbsoluteUri, now);
                break;
        }

        return null;
    }

    /// <summary>And the other way round.</summary>
    public static async Task TellProjectAsync(this IVtpDb db, WebhookEndpoint endpoint, string? url, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (endpoint.IsOfProject && await db.Projects.SingleOrDefaultAsync(project => project.Id == endpoint.ProjectId, cancellationToken) is { } project)
        {
            project.FollowWebhook(url, now);
        }
    }

    /// <summary>With the next save: whatever is due for the endpoint is sent.</summary>
    public static void Wake(this IVtpDb db, Guid endpoint, DateTimeOffset? at = null) =>
        db.Enqueue(new DeliverWebhooksCommand(endpoint), at, uniqueKey: endpoint.ToString());
}
