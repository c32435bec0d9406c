using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Vtp.Domain.Audit;
using Vtp.Domain.Notifications;
using Vtp.Domain.Operations;
using Vtp.Domain.Realtime;

namespace Vtp.Infrastructure.Persistence.Configurations;

internal sealed class AuditEntryConfiguration : IEntityTypeConfiguration<AuditEntry>
{
    public void Configure(EntityTypeBuilder<AuditEntry> builder)
    {
        // Partitioned tables have the partition's key in their own.
        builder.HasKey(entry => new { entry.Id, entry.KeptUntil });
        builder.Property(entry => entry.Id).ValueGeneratedNever();
        builder.Property(entry => entry.Changes).HasColumnType("jsonb");
    }
}

internal sealed class OutgoingEmailConfiguration : IEntityTypeConfiguration<OutgoingEmail>
{
    public void Configure(EntityTypeBuilder<OutgoingEmail> builder) => builder.Property(email => email.Id).ValueGeneratedNever();
}

internal sealed class SystemAlertConfiguration : IEntityTypeConfiguration<SystemAlert>
{
    public void Configure(EntityTypeBuilder<SystemAlert> builder)
    {
        builder.Property(alert => alert.Id).ValueGeneratedNever();
        builder.HasRowVersion();
    }
}

internal sealed class DashboardAlertConfiguration : IEntityTypeConfiguration<DashboardAlert>
{
    public void Configure(EntityTypeBuilder<DashboardAlert> builder)
    {
        builder.Property(alert => alert.Id).ValueGeneratedNever();
        builder.Property(alert => alert.Metadata).HasColumnType("jsonb");
    }
}
