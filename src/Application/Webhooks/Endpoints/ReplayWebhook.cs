using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Webhooks.Deliveries;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Endpoints;

public enum ReplayedDeliveries
{
    /// <summary>That were given up.</summary>
    Failed,

    /// <summary>Events for which there is no delivery: of a time when the endpoint was disabled, switched off, or not there yet.</summary>
    Missing,

    /// <summary>That were accepted.</summary>
    Delivered,

    All,
}

/// <summary>
/// Sends events of a stretch of time once more, 10,000 at most, oldest first; each under its own id, by which the receiver
/// knows what it has had.
/// </summary>
/// <param name="From">The first moment; what is older than 14 days is not sent again.</param>
/// <param name="To">The first moment that is too late; now when absent.</param>
/// <param name="EventTypes">Types, or beginnings of them; those of the endpoint when absent.</param>
/// <param name="Status"><c>failed</c> when absent.</param>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksWrite, NeedsSecret = true)]
[RateLimited(RateLimitPolicies.WebhookReplay)]
[Audited(AuditActions.WebhookReplayed)]
[Idempotent]
public sealed record ReplayWebhookCommand(
    [property: JsonIgnore] Guid Id,
    [property: JsonIgnore] Guid WebhookId,
    DateTimeOffset? From,
    DateTimeOffset? To,
    IReadOnlyList<string>? EventTypes,
    ReplayedDeliveries? Status) : ICommand<WebhookReplayed>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

/// <param name="Queued">How many are sent again; the endpoint's <c>pending</c> shows how many of them still wait.</param>
/// <param name="IsComplete">False when there were more than 10,000: ask again from <c>through</c> on.</param>
/// <param name="Through">Up to when events were queued.</param>
public sealed record WebhookReplayed(int Queued, bool IsComplete, DateTimeOffset Through);

internal sealed class ReplayWebhookValidator : AbstractValidator<ReplayWebhookCommand>
{
    public ReplayWebhookValidator()
    {
        RuleFor(command => command.From).NotNull().WithMessage("Say from when on.");
        RuleFor(command => command.To).Must((command, to) => to is null || command.From is null || to > command.From).WithMessage("to lies before from.");
        RuleFor(command => command.EventTypes).Must(types => types is null || types.All(type => type is not null && EventCatalogue.IsPattern(type)))
            .WithMessage($"The types are {string.Join(", ", EventCatalogue.All.Select(kind => kind.Type))}, or beginnings of them like project.*.");
    }
}

internal sealed class ReplayWebhookHandler(IVtpDb db, IWebhookQueue queue, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<ReplayWebhookCommand, Result<WebhookReplayed>>
{
    private const int AtOnce = 10_000;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(14);

    public async Task<Result<WebhookReplayed>> Handle(ReplayWebhookCommand request, CancellationToken cancellationToken)
    {
        var (project, now) = (new ProjectId(request.Id), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var endpoint = await db.WebhookEndpoints.ForUpdate()
            .SingleOrDefaultAsync(one => one.ProjectId == project && one.Id == request.WebhookId, cancellationToken);
        if (endpoint is null)
        {
            return WebhookRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (endpoint.Id, endpoint.Url);
        if (!endpoint.IsEnabled || await db.WebhookHealths.AnyAsync(health => health.EndpointId == endpoint.Id && health.DisabledAt != null, cancellationToken))
        {
            return WebhookRefusals.NotSentTo;
        }

        var from = request.From!.Value > now - Longest ? request.From.Value : now - Longest;
        var to = request.To ?? now;
        var patterns = request.EventTypes is { Count: > 0 } chosen ? chosen : endpoint.EventTypes;
        var (queued, through) = await queue.ReplayAsync(
            endpoint.Id, from, to, patterns, request.Status ?? ReplayedDeliveries.Failed, AtOnce, now, cancellationToken);
        db.Wake(endpoint.Id);
        await db.SaveChangesAsync(cancellationToken);
        return new WebhookReplayed(queued, queued < AtOnce, queued < AtOnce ? to : through ?? to);
    }
}
