using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Webhooks.Endpoints;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Tenancy.Projects;

/// <summary>Changes what is sent; absent leaves it. The region stays.</summary>
/// <param name="Name">3 to 100 characters; empty leaves it.</param>
/// <param name="WebhookUrl">Where all of its events are sent; an empty text removes it. A new one's secret is shown by its rotation.</param>
/// <param name="StorageConfig">Replaces the old one as a whole.</param>
[Requires(Permission.ManageProjects)]
[OpenToKeys(KeyScopes.ProjectWrite, NeedsSecret = true)]
[Audited(AuditActions.ProjectUpdated)]
public sealed record UpdateProjectCommand(
    [property: JsonIgnore] Guid Id,
    string? Name,
    string? WebhookUrl,
    StorageConfig? StorageConfig,
    bool? ChatEnabled,
    bool? VideoEnabled,
    bool? ActivityFeedEnabled,
    bool? ModerationEnabled) : ICommand<ProjectView>, IAboutProject, IInvalidates
{
    ProjectId IAboutProject.Project => new(Id);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => ProjectCacheTags.Showing(tenant, Id);
}

internal sealed class UpdateProjectValidator : AbstractValidator<UpdateProjectCommand>
{
    public UpdateProjectValidator()
    {
        RuleFor(command => command.Name).IsName().When(command => !string.IsNullOrEmpty(command.Name));
        RuleFor(command => command.StorageConfig).IsStorageConfig();
    }
}

internal sealed class UpdateProjectHandler(
    IVtpDb db, WebhookUrlRules urls, IEd25519 ed25519, LiveKitAddress livekit, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<UpdateProjectCommand, Result<ProjectView>>
{
    public async Task<Result<ProjectView>> Handle(UpdateProjectCommand request, CancellationToken cancellationToken)
    {
        Uri? webhook = null;
        if (request.WebhookUrl.NullIfEmpty() is { } text && !urls.Read(text, "webhook_url").TryGet(out webhook, out var refusal))
        {
            return refusal;
        }

        var (id, now) = (new ProjectId(request.Id), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var project = await db.Projects.SingleOrDefaultAsync(project => project.Id == id, cancellationToken);
        if (project is null)
        {
            return ProjectRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (request.Id, project.Name);
        var features = new ProjectFeatures(request.ChatEnabled, request.VideoEnabled, request.ActivityFeedEnabled, request.ModerationEnabled);
        project.Change(request.Name.NullIfEmpty(), webhook?.AbsoluteUri ?? request.WebhookUrl, request.StorageConfig, features, now);
        if (request.WebhookUrl is not null)
        {
            await db.PointAsync(project, webhook, ed25519, caller.SignedIn?.AccountId, now, cancellationToken);
        }

        await db.SaveChangesAsync(cancellationToken);
        return await db.Projects.AsNoTracking().Where(one => one.Id == id).AsViews(db, livekit.Url).SingleAsync(cancellationToken);
    }
}
