using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Identity.Accounts;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity.Administration;

/// <summary>How many accounts there are, of each kind. At most half a minute old.</summary>
[Requires(Permission.Operate)]
public sealed record GetAccountStatisticsQuery : IQuery<AccountStatistics>, ICachedQuery
{
    CacheKey ICachedQuery.KeyIn(TenantScope tenant) => CacheKey.Shared(CachePrefix.Statistics, "accounts");

    IReadOnlyCollection<CacheTag> ICachedQuery.TagsIn(TenantScope tenant) => AccountCacheTags.All;
}

/// <param name="TwoFactorUsers">Accounts with two-factor sign-in on.</param>
public sealed record AccountStatistics(int TotalUsers, int Students, int Teachers, int Admins, int DisabledUsers, int TwoFactorUsers);

internal sealed class GetAccountStatisticsHandler(IVtpDb db)
    : IRequestHandler<GetAccountStatisticsQuery, Result<AccountStatistics>>
{
    public async Task<Result<AccountStatistics>> Handle(GetAccountStatisticsQuery request, CancellationToken cancellationToken)
    {
        var byRole = await db.Accounts
            .GroupBy(account => account.Role)
            .Select(role => new { Role = role.Key, Total = role.Count(), Disabled = role.Count(account => account.DisabledAt != null) })
            .ToListAsync(cancellationToken);
        var twoFactor = await db.SecondFactors.CountAsync(factor => factor.EnabledAt != null, cancellationToken);
        int Of(Role role) => byRole.Find(row => row.Role == role)?.Total ?? 0;

        return new AccountStatistics(
            byRole.Sum(row => row.Total), Of(Role.Student), Of(Role.Teacher), Of(Role.Admin), byRole.Sum(row => row.Disabled), twoFactor);
    }
}
