using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Projects;

/// <summary>Changes what is sent; absent leaves it. The region stays.</summary>
/// <param name="Name">3 to 100 characters; empty leaves it.</param>
/// <param name="WebhookUrl">http or https; an empty text removes it.</param>
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
    bool? ModerationEnabled) : ICommand<ProjectView>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class UpdateProjectValidator : AbstractValidator<UpdateProjectCommand>
{
    public UpdateProjectValidator()
    {
        RuleFor(command => command.Name).IsName().When(command => !string.IsNullOrEmpty(command.Name));
        RuleFor(command => command.WebhookUrl).IsWebUrl();
        RuleFor(command => command.StorageConfig).IsStorageConfig();
    }
}

internal sealed class UpdateProjectHandler(IVtpDb db, LiveKitAddress livekit, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<UpdateProjectCommand, Result<ProjectView>>
{
    public async Task<Result<ProjectView>> Handle(UpdateProjectCommand request, CancellationToken cancellationToken)
    {
        var id = new ProjectId(request.Id);
        var project = await db.Projects.SingleOrDefaultAsync(project => project.Id == id, cancellationToken);
        if (project is null)
        {
            return ProjectRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (request.Id, project.Name);
        var features = new ProjectFeatures(request.ChatEnabled, request.VideoEnabled, request.ActivityFeedEnabled, request.ModerationEnabled);
        project.Change(request.Name.NullIfEmpty(), request.WebhookUrl, request.StorageConfig, features, clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return await db.Projects.AsNoTracking().Where(one => one.Id == id).AsViews(db, livekit.Url).SingleAsync(cancellationToken);
    }
}
