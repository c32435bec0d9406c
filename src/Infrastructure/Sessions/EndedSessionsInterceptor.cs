using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Vtp.Domain.Identity.Sessions;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Sessions;

/// <summary>
/// Whatever ends a session, this node knows as the change is written. Should the commit then fail, the session is
/// refused here until its access token expires: the safe side, and nothing that happens in practice.
/// </summary>
internal sealed class EndedSessionsInterceptor(EndedSessions endedSessions) : SaveChangesInterceptor
{
    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        foreach (var entry in eventData.Context!.ChangeTracker.Entries<Session>())
        {
            if (entry is { State: EntityState.Modified, Entity.EndedAt: not null })
            {
                endedSessions.Add(entry.Entity.Id);
                (eventData.Context as VtpDbContext)?.Announcements?.Add(EndedSessions.Channel);
            }
        }

        return ValueTask.FromResult(result);
    }
}
