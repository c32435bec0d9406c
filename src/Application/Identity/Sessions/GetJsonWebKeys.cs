using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Identity.Sessions;

/// <summary>The public keys that check access tokens (RFC 7517): the one that signs, its successor, and those whose tokens still live.</summary>
[Requires(Permission.Anyone)]
public sealed record GetJsonWebKeysQuery : IQuery<JsonWebKeySet>;

/// <summary>A JWK set.</summary>
public sealed record JsonWebKeySet(IReadOnlyList<JsonWebKey> Keys);

internal sealed class GetJsonWebKeysHandler(ISigningKeys keys) : IRequestHandler<GetJsonWebKeysQuery, Result<JsonWebKeySet>>
{
    public Task<Result<JsonWebKeySet>> Handle(GetJsonWebKeysQuery request, CancellationToken cancellationToken) =>
        Task.FromResult<Result<JsonWebKeySet>>(new JsonWebKeySet(keys.PublicKeys));
}
