using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Endpoints;

/// <summary>A new secret, shown this once. Until the overlap ends both sign every delivery, so that the receiver changes over when it likes.</summary>
/// <param name="OverlapHours">0 ends the old secret at once; 168 at most; 24 when absent.</param>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksWrite, NeedsSecret = true)]
[Audited(AuditActions.WebhookSecretRotated)]
[Idempotent]
public sealed record RotateWebhookSecretCommand([property: JsonIgnore] Guid Id, [property: JsonIgnore] Guid WebhookId, int? OverlapHours)
    : ICommand<WebhookIssued>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class RotateWebhookSecretValidator : AbstractValidator<RotateWebhookSecretCommand>
{
    public RotateWebhookSecretValidator() =>
        RuleFor(command => command.OverlapHours).InclusiveBetween(0, WebhookSigningSecret.MaximumOverlapHours)
            .WithMessage($"The overlap has from 0 to {WebhookSigningSecret.MaximumOverlapHours} hours.");
}

internal sealed class RotateWebhookSecretHandler(IVtpDb db, IEd25519 ed25519, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<RotateWebhookSecretCommand, Result<WebhookIssued>>
{
    private const int MaximumSecrets = 10;

    public async Task<Result<WebhookIssued>> Handle(RotateWebhookSecretCommand request, CancellationToken cancellationToken)
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
        var end = now + TimeSpan.FromHours(request.OverlapHours ?? WebhookSigningSecret.DefaultOverlapHours);
        var secrets = await db.WebhookSecrets.Where(secret => secret.EndpointId == endpoint.Id && (secret.ExpiresAt == null || secret.ExpiresAt > now))
            .OrderByDescending(secret => secret.Id).ToListAsync(cancellationToken);
        foreach (var (place, old) in secrets.Index())
        {
            old.Retire(place < MaximumSecrets - 1 ? end : now);
        }

        var (secret, shown) = WebhookSigningSecret.For(endpoint, ed25519, now);
        db.WebhookSecrets.Add(secret);
        endpoint.RotateSecret(end);
        await db.SaveChangesAsync(cancellationToken);
        return WebhookIssued.Of(await db.ViewAsync(endpoint.Id, now, cancellationToken), shown);
    }
}
