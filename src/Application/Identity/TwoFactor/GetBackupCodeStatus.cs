using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.TwoFactor;

namespace Vtp.Application.Identity.TwoFactor;

/// <summary>How many backup codes are left. The codes themselves are never shown again.</summary>
[Requires(Permission.SignedIn)]
public sealed record GetBackupCodeStatusQuery : IQuery<BackupCodeStatus>;

/// <param name="Remaining">Codes that have not been used.</param>
/// <param name="Total">Codes on a full sheet.</param>
public sealed record BackupCodeStatus(int Remaining, int Total, DateTimeOffset GeneratedAt);

internal sealed class GetBackupCodeStatusHandler(IVtpDb db, ICaller caller)
    : IRequestHandler<GetBackupCodeStatusQuery, Result<BackupCodeStatus>>
{
    public async Task<Result<BackupCodeStatus>> Handle(GetBackupCodeStatusQuery request, CancellationToken cancellationToken)
    {
        var accountId = caller.Required().AccountId;
        var sheet = await db.SecondFactors.AsNoTracking()
            .Where(factor => factor.AccountId == accountId && factor.EnabledAt != null)
            .Select(factor => new { factor.BackupCodeHashes, factor.BackupCodesCreatedAt })
            .SingleOrDefaultAsync(cancellationToken);
        if (sheet?.BackupCodesCreatedAt is not { } createdAt)
        {
            return TwoFactorRefusals.NotOn;
        }

        return new BackupCodeStatus(sheet.BackupCodeHashes.Length, BackupCodes.Count, createdAt);
    }
}
