using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Tenancy;

/// <summary>
/// What this node knows of keys, it forgets as their change is written, and asks again. A request that comes between
/// that and the commit may bring the old state back for the half second until changes are read.
/// </summary>
internal sealed class KeyChangesInterceptor(KnownKeys keys) : SaveChangesInterceptor
{
    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        foreach (var entry in eventData.Context!.ChangeTracker.Entries())
        {
            switch (entry)
            {
                case { Entity: ApiKey key, State: EntityState.Added or EntityState.Modified }:
                    keys.Forget(key.KeyHash);
                    Announce();
                    break;
                case { Entity: Project or Organization, State: EntityState.Modified } when entry.Properties.Any(ConcernsKeys):
                    keys.ForgetAll();
                    Announce();
                    break;
            }
        }

        return ValueTask.FromResult(result);

        static bool ConcernsKeys(PropertyEntry property) =>
            property.IsModified && property.Metadata.Name is (nameof(Project.DeletedAt) or nameof(Organization.AuditRetentionDays));

        void Announce() => (eventData.Context as VtpDbContext)?.Announcements?.Add(KnownKeys.Channel);
    }
}
