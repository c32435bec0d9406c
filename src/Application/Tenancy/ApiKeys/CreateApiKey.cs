using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.ApiKeys;

/// <summary>Makes a key for the project. It is shown this once.</summary>
/// <param name="Name">What it is for; 3 to 100 characters.</param>
/// <param name="Scopes">What it may do: at least one <c>resource:verb</c>, or <c>*</c>.</param>
/// <param name="Kind">Secret when absent.</param>
/// <param name="Environment">Live when absent.</param>
/// <param name="Role">What its holder is to the file tracker; guest when absent.</param>
/// <param name="ExpiresAt">In the future; never when absent.</param>
/// <param name="AllowedCidrs">Networks that it may be used from; any when absent or empty.</param>
[Requires(Permission.ManageApiKeys)]
[Audited(AuditActions.ApiKeyCreated)]
[Idempotent]
public sealed record CreateApiKeyCommand(
    [property: JsonIgnore] Guid Id,
    string? Name,
    IReadOnlyList<string>? Scopes,
    ApiKeyKind? Kind,
    ApiKeyEnvironment? Environment,
    TrackerRole? Role,
    DateTimeOffset? ExpiresAt,
    IReadOnlyList<string>? AllowedCidrs) : ICommand<ApiKeyIssued>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class CreateApiKeyValidator : AbstractValidator<CreateApiKeyCommand>
{
    public CreateApiKeyValidator(TimeProvider clock)
    {
        RuleFor(command => command.Name).NotNull().WithMessage("Enter a name.").IsName();
        RuleFor(command => command.Scopes).AreScopes();
        RuleFor(command => command.AllowedCidrs).AreCidrs();
        RuleFor(command => command.ExpiresAt).Must(end => end is null || end > clock.GetUtcNow()).WithMessage("Choose a time in the future.");
    }
}

internal sealed class CreateApiKeyHandler(IVtpDb db, TenancyLimits limits, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<CreateApiKeyCommand, Result<ApiKeyIssued>>
{
    public async Task<Result<ApiKeyIssued>> Handle(CreateApiKeyCommand request, CancellationToken cancellationToken)
    {
        var (id, now) = (new ProjectId(request.Id), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var project = await db.Projects.ForUpdate().SingleOrDefaultAsync(project => project.Id == id, cancellationToken);
        if (project is null)
        {
            return ProjectRefusals.NotFound;
        }

        if (await db.CountLivingKeysAsync(id, now, cancellationToken) >= limits.KeysPerProject)
        {
            return ApiKeyRefusals.TooMany;
        }

        var grant = new ApiKeyGrant(
            request.Name!, [.. request.Scopes!.Distinct(StringComparer.Ordinal)], request.Role ?? TrackerRole.Guest, request.ExpiresAt, request.AllowedCidrs ?? []);
        var (key, text) = ApiKey.Issue(
            project, request.Kind ?? ApiKeyKind.Secret, request.Environment ?? ApiKeyEnvironment.Live, grant, caller.Required().AccountId, now);
        db.ApiKeys.Add(key);
        (audit.TargetId, audit.TargetName) = (key.Id, key.Name);
        await db.SaveChangesAsync(cancellationToken);
        return ApiKeyIssued.Of(text, await db.ApiKeys.AsNoTracking().Where(one => one.Id == key.Id).AsViews(db).SingleAsync(cancellationToken));
    }
}

internal static class LivingKeys
{
    public static Task<int> CountLivingKeysAsync(this IVtpDb db, ProjectId project, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.ApiKeys.CountAsync(key => key.ProjectId == project && key.RevokedAt == null && (key.ExpiresAt == null || key.ExpiresAt > now), cancellationToken);
}
