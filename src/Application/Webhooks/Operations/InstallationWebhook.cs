using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Webhooks.Endpoints;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Operations;

/// <summary>An endpoint, as those see it who run the installation.</summary>
/// <param name="FailingSince">Since when it has only failed.</param>
/// <param name="PausedUntil">When the next delivery tries whether it works again.</param>
/// <param name="Pending">Deliveries that wait.</param>
/// <param name="SuccessRate">Of the last 24 hours' attempts, 0 to 1; null without any.</param>
/// <param name="LastError">Why the last attempt failed; null when it did not.</param>
public sealed record InstallationWebhook(
    Guid Id,
    Guid OrganizationId,
    string OrganizationName,
    Guid ProjectId,
    string ProjectName,
    string Url,
    string? Description,
    WebhookStatus Status,
    DisabledReason? DisabledReason,
    DateTimeOffset? FailingSince,
    DateTimeOffset? PausedUntil,
    int Pending,
    decimal? SuccessRate,
    DateTimeOffset? LastAttemptAt,
    string? LastError,
    DateTimeOffset CreatedAt)
{
    internal static InstallationWebhook Of(WebhookFigures row)
    {
        var (endpoint, health) = (row.Endpoint, row.Health);
        return new InstallationWebhook(
            endpoint.Id,
            endpoint.OrganizationId.Value,
            row.OrganizationName,
            endpoint.ProjectId.Value,
            row.ProjectName,
            endpoint.Url,
            endpoint.Description,
            WebhookQueries.StatusOf(endpoint, health.State),
            health.State.DisabledReason,
            health.State.FirstFailedAt,
            health.State.AskAgainAt,
            row.Pending,
            row.Attempts == 0 ? null : Math.Round((decimal)row.Successes / row.Attempts, 4),
            health.LastAttemptAt,
            row.LastError ?? (row.LastStatus is null or (>= 200 and < 300) ? null : $"The endpoint answered {row.LastStatus}."),
            endpoint.CreatedAt);
    }
}

/// <summary>Set by its properties, through which EF Core sees where filters look.</summary>
internal sealed class WebhookRow
{
    public required WebhookEndpoint Endpoint { get; init; }

    public required WebhookHealth Health { get; init; }

    public required Project Project { get; init; }

    public required Organization Organization { get; init; }
}

internal sealed record WebhookFigures(
    WebhookEndpoint Endpoint,
    WebhookHealth Health,
    string ProjectName,
    string OrganizationName,
    int Pending,
    int Attempts,
    int Successes,
    int? LastStatus,
    string? LastError);

internal static class InstallationWebhooks
{
    private static readonly TimeSpan Recently = TimeSpan.FromHours(24);

    /// <summary>Those of projects that are there; once <see cref="TenantScope.EnterSystem"/> has been called.</summary>
    public static IQueryable<WebhookRow> WebhooksOfAllTenants(this IVtpDb db) =>
        from endpoint in db.WebhookEndpoints.AsNoTracking().OfAllTenants()
        join health in db.WebhookHealths.OfAllTenants() on endpoint.Id equals health.EndpointId
        join project in db.Projects.OfAllTenants() on endpoint.ProjectId equals project.Id
        join organization in db.Organizations.OfAllTenants() on project.OrganizationId equals organization.Id
        select new WebhookRow { Endpoint = endpoint, Health = health, Project = project, Organization = organization };

    public static IQueryable<WebhookFigures> WithFigures(this IQueryable<WebhookRow> rows, IVtpDb db, DateTimeOffset now)
    {
        var since = now - Recently;
        return rows.Select(row => new WebhookFigures(
            row.Endpoint,
            row.Health,
            row.Project.Name,
            row.Organization.Name,
            db.WebhookDeliveries.Count(delivery => delivery.EndpointId == row.Endpoint.Id && delivery.State == DeliveryState.Pending),
            db.WebhookAttempts.Count(attempt => attempt.EndpointId == row.Endpoint.Id && attempt.AttemptedAt >= since),
            db.WebhookAttempts.Count(
                attempt => attempt.EndpointId == row.Endpoint.Id && attempt.AttemptedAt >= since && attempt.Status >= 200 && attempt.Status < 300),
            db.WebhookAttempts.Where(attempt => attempt.EndpointId == row.Endpoint.Id).OrderByDescending(attempt => attempt.AttemptedAt)
                .Select(attempt => attempt.Status).FirstOrDefault(),
            db.WebhookAttempts.Where(attempt => attempt.EndpointId == row.Endpoint.Id).OrderByDescending(attempt => attempt.AttemptedAt)
                .Select(attempt => attempt.Error).FirstOrDefault()));
    }
}
