using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Tenancy.ApiKeys;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Projects;

/// <summary>
/// Successors for the project's pair of keys, shown this once. They inherit everything, the expiry included; the old pair
/// lives on until the overlap ends or it expires, whichever is first.
/// </summary>
/// <param name="OverlapHours">0 ends the old pair at once; 720 at most; 24 when absent.</param>
[Requires(Permission.ManageApiKeys)]
[OpenToKeys(KeyScopes.KeysWrite, NeedsSecret = true)]
[Audited(AuditActions.ApiKeyRegenerated)]
[Idempotent]
public sealed record RegenerateProjectKeysCommand([property: JsonIgnore] Guid Id, int? OverlapHours) : ICommand<ProjectKeysRegenerated>, IAboutProject, IInvalidates
{
    ProjectId IAboutProject.Project => new(Id);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => ProjectCacheTags.Showing(tenant, Id);
}

/// <param name="PulseApiKey">The publishable key.</param>
/// <param name="PulseApiSecret">The secret key.</param>
/// <param name="PreviousKeysEndAt">When the old pair ends, at the latest.</param>
public sealed record ProjectKeysRegenerated(string PulseApiKey, string PulseApiSecret, DateTimeOffset PreviousKeysEndAt, string Message);

internal sealed class RegenerateProjectKeysValidator : AbstractValidator<RegenerateProjectKeysCommand>
{
    public RegenerateProjectKeysValidator() => RuleFor(command => command.OverlapHours).IsOverlap();
}

internal sealed class RegenerateProjectKeysHandler(IVtpDb db, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<RegenerateProjectKeysCommand, Result<ProjectKeysRegenerated>>
{
    public async Task<Result<ProjectKeysRegenerated>> Handle(RegenerateProjectKeysCommand request, CancellationToken cancellationToken)
    {
        var (id, now) = (new ProjectId(request.Id), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var project = await db.Projects.ForUpdate().SingleOrDefaultAsync(project => project.Id == id, cancellationToken);
        if (project is null)
        {
            return ProjectRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (request.Id, project.Name);
        var pair = await db.ApiKeys.Where(key => key.ProjectId == id && key.IsOfPair && key.ReplacedBy == null).ToListAsync(cancellationToken);
        var texts = new Dictionary<ApiKeyKind, string>();
        foreach (var old in pair)
        {
            if (!caller.MayHandOut(old))
            {
                return ApiKeyRefusals.BeyondOwn;
            }

            if (!old.Rotate(Overlaps.Of(request.OverlapHours), caller.SignedIn?.AccountId, now).TryGet(out var successor, out var refusal))
            {
                return refusal;
            }

            db.ApiKeys.Add(successor.Key);
            texts[old.Kind] = successor.Text.Value;
        }

        project.Touch(now);
        await db.SaveChangesAsync(cancellationToken);
        return new ProjectKeysRegenerated(
            texts[ApiKeyKind.Publishable],
            texts[ApiKeyKind.Secret],
            pair.Max(old => old.ExpiresAt!.Value),
            "Keys regenerated. Keep the secret: it is not shown again.");
    }
}
