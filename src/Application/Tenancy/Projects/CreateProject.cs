using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Projects;

/// <summary>Creates a project in one of the caller's organizations, with a pair of keys that are shown this once.</summary>
/// <param name="Name">3 to 100 characters.</param>
/// <param name="Region">Where its rooms are; it stays.</param>
/// <param name="WebhookUrl">http or https.</param>
/// <param name="StorageConfig">The bucket that recordings go to.</param>
[Requires(Permission.ManageProjects)]
[Audited(AuditActions.ProjectCreated)]
[Idempotent]
public sealed record CreateProjectCommand(
    [property: JsonIgnore] Guid OrgId, string? Name, Region? Region, string? WebhookUrl, StorageConfig? StorageConfig)
    : ICommand<ProjectCreated>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(OrgId);
}

/// <param name="Project">Here alone its <c>pulse_api_key</c> is the whole key.</param>
/// <param name="ApiSecret">The secret key of the pair; shown this once.</param>
public sealed record ProjectCreated(ProjectView Project, string ApiSecret, string Message);

internal sealed class CreateProjectValidator : AbstractValidator<CreateProjectCommand>
{
    public CreateProjectValidator()
    {
        RuleFor(command => command.Name).NotNull().WithMessage("Enter a name.").IsName();
        RuleFor(command => command.Region).NotNull().WithMessage("Choose a region.");
        RuleFor(command => command.WebhookUrl).IsWebUrl();
        RuleFor(command => command.StorageConfig).IsStorageConfig();
    }
}

internal sealed class CreateProjectHandler(
    IVtpDb db, TenancyLimits limits, LiveKitAddress livekit, TenantScope tenant, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<CreateProjectCommand, Result<ProjectCreated>>
{
    public async Task<Result<ProjectCreated>> Handle(CreateProjectCommand request, CancellationToken cancellationToken)
    {
        var (organization, now) = (new OrganizationId(request.OrgId), clock.GetUtcNow());
        if (await db.Projects.CountAsync(project => project.OrganizationId == organization, cancellationToken) >= limits.ProjectsPerOrganization)
        {
            return ProjectRefusals.TooMany;
        }

        var creator = caller.Required().AccountId;
        var project = Project.Create(organization, request.Name!, request.Region!.Value, request.WebhookUrl.NullIfEmpty(), request.StorageConfig, creator, now);
        var (publishable, publishableText) = ApiKey.IssuePair(project, ApiKeyKind.Publishable, creator, now);
        var (secret, secretText) = ApiKey.IssuePair(project, ApiKeyKind.Secret, creator, now);
        db.Projects.Add(project);
        db.ApiKeys.AddRange(publishable, secret);
        tenant.Narrow(project.Id);
        (audit.TargetId, audit.TargetName) = (project.Id.Value, project.Name);
        await db.SaveChangesAsync(cancellationToken);

        var view = await db.Projects.AsNoTracking().Where(one => one.Id == project.Id).AsViews(db, livekit.Url).SingleAsync(cancellationToken);
        return new ProjectCreated(
            view with { PulseApiKey = publishableText.Value },
            secretText.Value,
            "Project created. Keep the secret: it is not shown again.");
    }
}
