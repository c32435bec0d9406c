using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity;

/// <summary>
/// Fresh proof that it is the account's owner who asks, for what a stolen access token must not be able to do: the
/// password, or a sign-in of the last five minutes.
/// </summary>
internal sealed class StepUp(IVtpDb db, IPasswordHasher passwords, ICaller caller, TimeProvider clock)
{
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(5);

    public async Task<Refusal?> CheckAsync(string? password, CancellationToken cancellationToken)
    {
        if (password is not null)
        {
            return await CheckPasswordAsync(password, cancellationToken);
        }

        return clock.GetUtcNow() - caller.Required().AuthenticatedAt <= Recent ? null : AccountRefusals.RecentSignInNeeded;
    }

    public async Task<Refusal?> CheckPasswordAsync(string password, CancellationToken cancellationToken)
    {
        var accountId = caller.Required().AccountId;
        var hash = await db.Accounts.Where(account => account.Id == accountId).Select(account => account.PasswordHash).SingleAsync(cancellationToken);
        if (!(await passwords.FindAsync(password, [hash], cancellationToken)).TryGet(out var match, out var busy))
        {
            return busy;
        }

        return match.Index < 0 ? AccountRefusals.PasswordRejected : null;
    }
}
