using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.ApiKeys;

/// <summary>Ends a key: on this node at once, on every other within two seconds.</summary>
[Requires(Permission.ManageApiKeys)]
[OpenToKeys(KeyScopes.KeysWrite, NeedsSecret = true)]
[Audited(AuditActions.ApiKeyRevoked)]
public sealed record RevokeApiKeyCommand(Guid Id, Guid KeyId) : ICommand<Done>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class RevokeApiKeyHandler(IVtpDb db, AuditSubject audit, TimeProvider clock) : IRequestHandler<RevokeApiKeyCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(RevokeApiKeyCommand request, CancellationToken cancellationToken)
    {
        var project = new ProjectId(request.Id);
        var key = await db.ApiKeys.SingleOrDefaultAsync(key => key.ProjectId == project && key.Id == request.KeyId, cancellationToken);
        if (key is null)
        {
            return ApiKeyRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (key.Id, key.Name);
        key.Revoke(clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return Done.Value;
    }
}
