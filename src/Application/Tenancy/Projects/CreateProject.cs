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
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Tenancy.Projects;

/// <summary>Creates a project in one of the caller's organizations, with a pair of keys that are shown this once.</summary>
/// <param name="Name">3 to 100 characters.</param>
/// <param name="Region">Where its rooms are; it stays.</param>
/// <param name="WebhookUrl">Where all of its events are sent: https, and a public address unless the operator allows more. It is the first of its endpoints.</param>
/// <param name="StorageConfig">The bucket that recordings go to.</param>
[Requires(Permission.ManageProjects)]
[Audited(AuditActions.ProjectCreated)]
[Idempotent]
public sealed record CreateProjectCommand(
    [property: JsonIgnore] Guid OrgId, string? Name, Region? Region, string? WebhookUrl, StorageConfig? StorageConfig)
    : ICommand<ProjectCreated>, IAboutOrganization, IInvalidates
{
    OrganizationId? IAboutOrganization.Organization => new(OrgId);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => ProjectCacheTags.ListsOf(tenant);
}

/// <param name="Project">Here alone its <c>pulse_api_key</c> is the whole key.</param>
/// <param name="ApiSecret">The secret key of the pair; shown this once.</param>
/// <param name="WebhookSecret">What the receiver at <c>webhook_url</c> verifies with; shown this once, null without one.</param>
public sealed record ProjectCreated(ProjectView Project, string ApiSecret, string? WebhookSecret, string Message);

internal sealed class CreateProjectValidator : AbstractValidator<CreateProjectCommand>
{
    public CreateProjectValidator()
    {
        RuleFor(command => command.Name).NotNull().WithMessage("Enter a name.").IsName();
        RuleFor(command => command.Region).NotNull().WithMessage("Choose a region.");
        RuleFor(command => command.StorageConfig).IsStorageConfig();
    }
}

internal sealed class CreateProjectHandler(
    IVtpDb db,
    TenancyLimits limits,
    WebhookUrlRules urls,
    IEd25519 ed25519,
    LiveKitAddress livekit,
    TenantScope tenant,
    ICaller caller,
    AuditSubject audit,
    TimeProvider clock)
    : IRequestHandler<CreateProjectCommand, Result<ProjectCreated>>
{
    public async Task<Result<ProjectCreated>> Handle(CreateProjectCommand request, CancellationToken cancellationToken)
    {
        Uri? webhook = null;
        if (request.WebhookUrl.NullIfEmpty() is { } text && !urls.Read(text, "webhook_url").TryGet(out webhook, out var refusal))
        {
            return refusal;
        }

        var (organization, now) = (new OrganizationId(request.OrgId), clock.GetUtcNow());
        if (await db.Projects.CountAsync(project => project.OrganizationId == organization, cancellationToken) >= limits.ProjectsPerOrganization)
        {
            return ProjectRefusals.TooMany;
        }

        var creator = caller.Required().AccountId;
        var project = Project.Create(organization, request.Name!, request.Region!.Value, webhook?.AbsoluteUri, request.StorageConfig, creator, now);
        var (publishable, publishableText) = ApiKey.IssuePair(project, ApiKeyKind.Publishable, creator, now);
        var (secret, secretText) = ApiKey.IssuePair(project, ApiKeyKind.Secret, creator, now);
        db.Projects.Add(project);
        db.ApiKeys.AddRange(publishable, secret);
        tenant.Narrow(project.Id);
        var webhookSecret = await db.PointAsync(project, webhook, ed25519, creator, now, cancellationToken);
        (audit.TargetId, audit.TargetName) = (project.Id.Value, project.Name);
        await db.SaveChangesAsync(cancellationToken);

        var view = await db.Projects.AsNoTracking().Where(one => one.Id == project.Id).AsViews(db, livekit.Url).SingleAsync(cancellationToken);
        return new ProjectCreated(
            view with { PulseApiKey = publishableText.Value },
            secretText.Value,
            webhookSecret,
            "Project created. Keep the secret: it is not shown again.");
    }
}
