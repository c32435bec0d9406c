using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity.Sessions;

internal static class SessionQueries
{
    public static IQueryable<Session> OpenOf(this IQueryable<Session> sessions, AccountId accountId) =>
        sessions.Where(session => session.AccountId == accountId && session.EndedAt == null);

    /// <summary>Ends the account's sessions, all or all but one; the handler saves.</summary>
    /// <returns>How many.</returns>
    public static async Task<int> EndSessionsAsync(
        this IVtpDb db, AccountId accountId, SessionId? except, SessionEnd reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var sessions = await db.Sessions.OpenOf(accountId).Where(session => session.Id != except).ToListAsync(cancellationToken);
        sessions.ForEach(session => session.End(reason, now));
        return sessions.Count;
    }
}
