using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.Sessions;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity.Accounts;

internal static class MailboxProof
{
    /// <summary>
    /// Somebody who reads the account's mail takes it over, by a reset link or a mailed code. An account that was never
    /// verified may have been registered by somebody else: their password, second factor and sessions end here.
    /// Guesses at the second factor no longer lock it. The handler saves.
    /// </summary>
    public static async Task MailboxProvedAsync(this IVtpDb db, Account account, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var factor = await db.SecondFactors.ForUpdate().SingleOrDefaultAsync(factor => factor.AccountId == account.Id, cancellationToken);
        if (account.OwnsEmail)
        {
            factor?.Unlock();
            return;
        }

        if (factor is not null)
        {
            db.SecondFactors.Remove(factor);
        }

        account.ClaimByMailbox(now);
        await db.EndSessionsAsync(account.Id, except: null, SessionEnd.AccountChanged, now, cancellationToken);
    }
}
