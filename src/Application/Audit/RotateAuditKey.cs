using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Audit;

/// <summary>
/// A new key for the trail's signatures and for the marks of its entries. The old ones stay published: what they signed is
/// verified for as long as anybody keeps it.
/// </summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.AuditKeyRotated)]
public sealed record RotateAuditKeyCommand : ICommand<AuditKeyRotated>;

/// <param name="Kid">The new key's id; it is published now.</param>
/// <param name="SignsFrom">A minute from now, so that every node knows it by then.</param>
public sealed record AuditKeyRotated(string Kid, DateTimeOffset SignsFrom);

internal sealed class RotateAuditKeyHandler(IAuditKeys keys) : IRequestHandler<RotateAuditKeyCommand, Result<AuditKeyRotated>>
{
    public async Task<Result<AuditKeyRotated>> Handle(RotateAuditKeyCommand request, CancellationToken cancellationToken) =>
        await keys.RotateAsync(cancellationToken);
}
