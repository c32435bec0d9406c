using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity.Accounts;

internal static class AccountQueries
{
    /// <summary>Everyone who claims the address: its owner first, then the newest claim.</summary>
    public static IQueryable<Account> WithEmail(this IQueryable<Account> accounts, EmailAddress email) =>
        accounts.Where(account => account.Email == email)
            .OrderByDescending(account => account.EmailVerifiedAt != null)
            .ThenByDescending(account => account.CreatedAt)
            .ThenByDescending(account => account.Id)
            .Take(MaximumClaims);

    public static IQueryable<UserView> AsViews(this IQueryable<Account> accounts, IVtpDb db) => accounts.Select(account => new UserView(
        account.Id.Value,
        account.Id.Value,
        account.Email.Value,
        account.FullName,
        account.Phone,
        account.Role,
        account.Locale,
        account.EmailVerifiedAt != null,
        db.SecondFactors.Any(factor => factor.AccountId == account.Id && factor.EnabledAt != null),
        account.CreatedAt));

    // Registration is rate-limited; this only bounds what one sign-in may read.
    private const int MaximumClaims = 50;
}

internal static class AccountCacheTags
{
    public static readonly CacheTag[] All = [CacheTag.Shared(CachePrefix.Statistics, "accounts")];
}
