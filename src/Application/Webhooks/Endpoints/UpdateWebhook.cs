using System.Text.Json.Serialization;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Tenancy.Projects;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Endpoints;

/// <summary>Replaces an endpoint's settings. What waits goes to the new address.</summary>
/// <param name="Enabled">False switches it off: nothing is sent, and nothing kept for it; true when absent.</param>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksWrite, NeedsSecret = true)]
[Audited(AuditActions.WebhookUpdated)]
public sealed record UpdateWebhookCommand(
    [property: JsonIgnore] Guid Id,
    [property: JsonIgnore] Guid WebhookId,
    string? Url,
    string? Description,
    IReadOnlyList<string>? EventTypes,
    WebhookPayload? Payload,
    WebhookOrdering? Ordering,
    bool? SignsBody,
    IReadOnlyList<int>? RetrySeconds,
    bool? Enabled) : ICommand<WebhookView>, IAboutProject, IWebhookSettings, IInvalidates
{
    ProjectId IAboutProject.Project => new(Id);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => ProjectCacheTags.Showing(tenant, Id);
}

internal sealed class UpdateWebhookValidator : WebhookSettingsValidator<UpdateWebhookCommand>;

internal sealed class UpdateWebhookHandler(IVtpDb db, WebhookUrlRules urls, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<UpdateWebhookCommand, Result<WebhookView>>
{
    public async Task<Result<WebhookView>> Handle(UpdateWebhookCommand request, CancellationToken cancellationToken)
    {
        if (!urls.Read(request.Url).TryGet(out var url, out var refusal))
        {
            return refusal;
        }

        var (project, now) = (new ProjectId(request.Id), clock.GetUtcNow());
        var endpoint = await db.WebhookEndpoints.SingleOrDefaultAsync(one => one.ProjectId == project && one.Id == request.WebhookId, cancellationToken);
        if (endpoint is null)
        {
            return WebhookRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (endpoint.Id, endpoint.Url);
        await db.TellProjectAsync(endpoint, url.AbsoluteUri, now, cancellationToken);
        endpoint.Change(request.ToSettings(url), request.Enabled ?? true, now);
        db.Wake(endpoint.Id);
        await db.SaveChangesAsync(cancellationToken);
        return await db.ViewAsync(endpoint.Id, now, cancellationToken);
    }
}
