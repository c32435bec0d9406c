using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Operations;

/// <summary>One endpoint of any project, with its last 50 attempts. What was sent is its owners' to see.</summary>
[Requires(Permission.Operate)]
public sealed record GetAnyWebhookQuery(Guid Id) : IQuery<InstallationWebhookDetails>;

/// <param name="Attempts">Newest first.</param>
public sealed record InstallationWebhookDetails(InstallationWebhook Webhook, IReadOnlyList<InstallationAttempt> Attempts);

/// <param name="Number">Of the delivery, from 1.</param>
/// <param name="Status">Null when there was no answer.</param>
/// <param name="Outcome"><c>answered</c>, or why there was no answer.</param>
/// <param name="Error">A sentence; null when there was an answer.</param>
public sealed record InstallationAttempt(
    Guid DeliveryId, int Number, DateTimeOffset AttemptedAt, int? Status, string Outcome, int DurationMs, string? Error);

internal sealed class GetAnyWebhookHandler(IVtpDb db, TenantScope tenant, TimeProvider clock)
    : IRequestHandler<GetAnyWebhookQuery, Result<InstallationWebhookDetails>>
{
    private const int Shown = 50;

    public async Task<Result<InstallationWebhookDetails>> Handle(GetAnyWebhookQuery request, CancellationToken cancellationToken)
    {
        tenant.EnterSystem();
        var found = await db.WebhooksOfAllTenants().Where(row => row.Endpoint.Id == request.Id)
            .WithFigures(db, clock.GetUtcNow()).SingleOrDefaultAsync(cancellationToken);
        if (found is null)
        {
            return WebhookRefusals.NotFound;
        }

        var attempts = await db.WebhookAttempts.OfAllTenants().AsNoTracking().Where(attempt => attempt.EndpointId == request.Id)
            .OrderByDescending(attempt => attempt.AttemptedAt).ThenByDescending(attempt => attempt.Id).Take(Shown)
            .Select(attempt => new InstallationAttempt(
                attempt.DeliveryId, attempt.Number, attempt.AttemptedAt, attempt.Status, attempt.Outcome, attempt.DurationMs, attempt.Error))
            .ToListAsync(cancellationToken);
        return new InstallationWebhookDetails(InstallationWebhook.Of(found), attempts);
    }
}
