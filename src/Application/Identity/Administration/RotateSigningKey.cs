using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Identity.Administration;

/// <summary>
/// A new key for access tokens, ahead of the monthly rotation. Nobody is signed out: the old key stays published until
/// the last token that it signed has expired.
/// </summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.SigningKeyRotated)]
public sealed record RotateSigningKeyCommand : ICommand<SigningKeyRotated>;

/// <param name="Kid">The new key's id; it is published now and signs a minute from now.</param>
public sealed record SigningKeyRotated(string Kid);

internal sealed class RotateSigningKeyHandler(ISigningKeys keys) : IRequestHandler<RotateSigningKeyCommand, Result<SigningKeyRotated>>
{
    public async Task<Result<SigningKeyRotated>> Handle(RotateSigningKeyCommand request, CancellationToken cancellationToken) =>
        new SigningKeyRotated(await keys.RotateAsync(cancellationToken));
}
