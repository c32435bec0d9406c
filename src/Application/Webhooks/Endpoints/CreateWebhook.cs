using System.Text.Json.Serialization;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Endpoints;

/// <summary>One more address that the project's events are sent to, from now on, signed as Standard Webhooks has it.</summary>
/// <param name="Url">https, and public unless the operator allows more; judged again at each connection.</param>
/// <param name="Description">For people; 500 characters at most.</param>
/// <param name="EventTypes">Types, or beginnings of them like <c>project.*</c>; all when absent or empty.</param>
/// <param name="Payload">Whether events come with their data; <c>full</c> when absent.</param>
/// <param name="Ordering">Whether what happens to one thing comes strictly in order; <c>none</c> when absent.</param>
/// <param name="Signature"><c>v1</c> (HMAC-SHA256) or <c>v1a</c> (ed25519); <c>v1</c> when absent. It stays.</param>
/// <param name="SignsBody">Also send <c>X-Webhook-Signature: sha256=</c>, for older receivers.</param>
/// <param name="RetrySeconds">Waits before the second attempt, the third and so on; those of Standard Webhooks when absent: ten attempts over 75 hours.</param>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksWrite, NeedsSecret = true)]
[Audited(AuditActions.WebhookCreated)]
[Idempotent]
public sealed record CreateWebhookCommand(
    [property: JsonIgnore] Guid Id,
    string? Url,
    string? Description,
    IReadOnlyList<string>? EventTypes,
    WebhookPayload? Payload,
    WebhookOrdering? Ordering,
    WebhookSignatureKind? Signature,
    bool? SignsBody,
    IReadOnlyList<int>? RetrySeconds) : ICommand<WebhookIssued>, IAboutProject, IWebhookSettings
{
    ProjectId IAboutProject.Project => new(Id);
}

public enum WebhookSignatureKind
{
    V1,

    [JsonStringEnumMemberName("v1a")]
    V1A,
}

internal sealed class CreateWebhookValidator : WebhookSettingsValidator<CreateWebhookCommand>;

internal sealed class CreateWebhookHandler(
    IVtpDb db, WebhookUrlRules urls, IEd25519 ed25519, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<CreateWebhookCommand, Result<WebhookIssued>>
{
    public async Task<Result<WebhookIssued>> Handle(CreateWebhookCommand request, CancellationToken cancellationToken)
    {
        if (!urls.Read(request.Url).TryGet(out var url, out var refusal))
        {
            return refusal;
        }

        if (request.Signature == WebhookSignatureKind.V1A && !ed25519.IsSupported)
        {
            return WebhookRefusals.Unsupported;
        }

        var (id, now) = (new ProjectId(request.Id), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var project = await db.Projects.ForUpdate().SingleOrDefaultAsync(project => project.Id == id, cancellationToken);
        if (project is null)
        {
            return ProjectRefusals.NotFound;
        }

        if (await db.WebhookEndpoints.CountAsync(endpoint => endpoint.ProjectId == id, cancellationToken) >= WebhookSteps.EndpointsPerProject)
        {
            return WebhookRefusals.TooMany;
        }

        var endpoint = WebhookEndpoint.For(project, request.ToSettings(url), request.Signature == WebhookSignatureKind.V1A, caller.SignedIn?.AccountId, now);
        var secret = db.Add(endpoint, ed25519, now);
        (audit.TargetId, audit.TargetName) = (endpoint.Id, endpoint.Url);
        await db.SaveChangesAsync(cancellationToken);
        return WebhookIssued.Of(await db.ViewAsync(endpoint.Id, now, cancellationToken), secret);
    }
}
