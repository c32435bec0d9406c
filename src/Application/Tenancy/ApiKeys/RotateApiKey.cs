using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Tenancy.Projects;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.ApiKeys;

/// <summary>A successor for one key, shown this once. It inherits everything, the expiry included; the old one ends with the overlap.</summary>
/// <param name="OverlapHours">0 ends the old key at once; 720 at most; 24 when absent.</param>
[Requires(Permission.ManageApiKeys)]
[OpenToKeys(KeyScopes.KeysWrite, NeedsSecret = true)]
[Audited(AuditActions.ApiKeyRotated)]
[Idempotent]
public sealed record RotateApiKeyCommand([property: JsonIgnore] Guid Id, [property: JsonIgnore] Guid KeyId, int? OverlapHours)
    : ICommand<ApiKeyIssued>, IAboutProject, IInvalidates
{
    ProjectId IAboutProject.Project => new(Id);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => ProjectCacheTags.Showing(tenant, Id);
}

internal sealed class RotateApiKeyValidator : AbstractValidator<RotateApiKeyCommand>
{
    public RotateApiKeyValidator() => RuleFor(command => command.OverlapHours).IsOverlap();
}

internal sealed class RotateApiKeyHandler(IVtpDb db, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<RotateApiKeyCommand, Result<ApiKeyIssued>>
{
    public async Task<Result<ApiKeyIssued>> Handle(RotateApiKeyCommand request, CancellationToken cancellationToken)
    {
        var project = new ProjectId(request.Id);
        await db.BeginAsync(cancellationToken);
        var old = await db.ApiKeys.ForUpdate().SingleOrDefaultAsync(key => key.ProjectId == project && key.Id == request.KeyId, cancellationToken);
        if (old is null)
        {
            return ApiKeyRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (old.Id, old.Name);
        if (!caller.MayHandOut(old))
        {
            return ApiKeyRefusals.BeyondOwn;
        }

        if (!old.Rotate(Overlaps.Of(request.OverlapHours), caller.SignedIn?.AccountId, clock.GetUtcNow()).TryGet(out var successor, out var refusal))
        {
            return refusal;
        }

        db.ApiKeys.Add(successor.Key);
        await db.SaveChangesAsync(cancellationToken);
        return ApiKeyIssued.Of(
            successor.Text, await db.ApiKeys.AsNoTracking().Where(one => one.Id == successor.Key.Id).AsViews(db).SingleAsync(cancellationToken));
    }
}
