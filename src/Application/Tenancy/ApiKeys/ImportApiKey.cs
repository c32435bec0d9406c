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

/// <summary>Brings a <c>pulse_key_</c> or <c>pulse_secret_</c> value of the older control plane along, so that its clients work on unchanged.</summary>
/// <param name="Key">The old value; only its SHA-256 is kept.</param>
/// <param name="Name">What it is for; 3 to 100 characters.</param>
/// <param name="Scopes">What it may do: at least one <c>resource:verb</c>, or <c>*</c>.</param>
/// <param name="ExpiresAt">In the future; never when absent.</param>
[Requires(Permission.ManageApiKeys)]
[Audited(AuditActions.ApiKeyImported)]
[Idempotent]
public sealed record ImportApiKeyCommand(
    [property: JsonIgnore] Guid Id, string? Key, string? Name, IReadOnlyList<string>? Scopes, DateTimeOffset? ExpiresAt) : ICommand<ApiKeyView>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class ImportApiKeyValidator : AbstractValidator<ImportApiKeyCommand>
{
    public ImportApiKeyValidator(TimeProvider clock)
    {
        RuleFor(command => command.Key).NotNull().Must(key => LegacyKeyText.IsLegacy(key))
            .WithMessage($"An older key begins with pulse_key_ or pulse_secret_, then letters and digits, and has at most {LegacyKeyText.MaximumLength} characters.");
        RuleFor(command => command.Name).NotNull().WithMessage("Enter a name.").IsName();
        RuleFor(command => command.Scopes).AreScopes();
        RuleFor(command => command.ExpiresAt).Must(end => end is null || end > clock.GetUtcNow()).WithMessage("Choose a time in the future.");
    }
}

internal sealed class ImportApiKeyHandler(IVtpDb db, TenancyLimits limits, TenantScope tenant, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<ImportApiKeyCommand, Result<ApiKeyView>>
{
    public async Task<Result<ApiKeyView>> Handle(ImportApiKeyCommand request, CancellationToken cancellationToken)
    {
        var (id, hash, now) = (new ProjectId(request.Id), ApiKeyText.Hash(request.Key!), clock.GetUtcNow());
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

        var retention = tenant.AuditRetentionDays;
        tenant.EnterSystem();
        var isTaken = await db.ApiKeys.OfAllTenants().AnyAsync(key => key.KeyHash == hash, cancellationToken);
        tenant.Enter(project.OrganizationId, id, retention);
        if (isTaken)
        {
            return ApiKeyRefusals.Taken;
        }

        var grant = new ApiKeyGrant(request.Name!, [.. request.Scopes!.Distinct(StringComparer.Ordinal)], TrackerRole.Guest, request.ExpiresAt, []);
        var imported = ApiKey.Import(project, request.Key!, grant, caller.Required().AccountId, now);
        db.ApiKeys.Add(imported);
        (audit.TargetId, audit.TargetName) = (imported.Id, imported.Name);
        await db.SaveChangesAsync(cancellationToken);
        return await db.ApiKeys.AsNoTracking().Where(one => one.Id == imported.Id).AsViews(db).SingleAsync(cancellationToken);
    }
}
