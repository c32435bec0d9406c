using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Identity.Sessions;
using Vtp.Domain.Common;

namespace Vtp.Application.Audit;

/// <summary>The public keys that checkpoints and retentions of the trail were ever signed with (RFC 7517). Keep them with your exports.</summary>
[Requires(Permission.Anyone)]
public sealed record GetAuditKeysQuery : IQuery<JsonWebKeySet>;

/// <summary>Who signs what is said about the trail.</summary>
public interface IAuditKeys
{
    IReadOnlyList<JsonWebKey> PublicKeys { get; }

    /// <summary>Publishes a new key, which signs from a little later on.</summary>
    Task<AuditKeyRotated> RotateAsync(CancellationToken cancellationToken);
}

internal sealed class GetAuditKeysHandler(IAuditKeys keys) : IRequestHandler<GetAuditKeysQuery, Result<JsonWebKeySet>>
{
    public Task<Result<JsonWebKeySet>> Handle(GetAuditKeysQuery request, CancellationToken cancellationToken) =>
        Task.FromResult<Result<JsonWebKeySet>>(new JsonWebKeySet(keys.PublicKeys));
}
