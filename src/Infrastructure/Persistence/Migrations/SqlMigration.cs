using System.Reflection;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Vtp.Infrastructure.Persistence.Migrations;

/// <summary>
/// A numbered SQL file beside this one, run once by EF Core's migrator under its lock. A migration only expands what the
/// version before it can read. To add one: write the file, and name it in a class below.
/// </summary>
internal abstract class SqlMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        var id = GetType().GetCustomAttribute<MigrationAttribute>()!.Id;
        using var stream = typeof(SqlMigration).Assembly.GetManifestResourceStream($"migrations/{id}.sql")
            ?? throw new InvalidOperationException($"migrations/{id}.sql is not embedded.");
        using var reader = new StreamReader(stream);
        migrationBuilder.Sql(reader.ReadToEnd());
    }
}

[DbContext(typeof(VtpDbContext)), Migration("0001_identity")]
internal sealed class Identity : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0002_tenancy")]
internal sealed class Tenancy : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0003_idempotency")]
internal sealed class Idempotency : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0004_audit_proof")]
internal sealed class AuditProof : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0005_jobs")]
internal sealed class Jobs : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration(Id)]
internal sealed class AuditEntryMarks : SqlMigration
{
    public const string Id = "0006_audit_marks";
}

[DbContext(typeof(VtpDbContext)), Migration("0007_job_keys")]
internal sealed class JobKeys : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0007_mail_jobs")]
internal sealed class MailJobs : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0007_schedules")]
internal sealed class ScheduleTables : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0008_events")]
internal sealed class Events : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0009_webhooks")]
internal sealed class Webhooks : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0010_livekit_events")]
internal sealed class LiveKitEventLog : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0011_operations")]
internal sealed class Operations : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0012_exports")]
internal sealed class ArchiveExports : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0013_traces")]
internal sealed class Traces : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0014_system_alerts")]
internal sealed class SystemAlerts : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0015_tracker")]
internal sealed class Tracker : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0016_relay")]
internal sealed class RelayTables : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0017_realtime")]
internal sealed class Realtime : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0018_cache_lifetimes")]
internal sealed class CacheLifetimes : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0019_signaling")]
internal sealed class Signaling : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0020_dashboard")]
internal sealed class DashboardTables : SqlMigration;

[DbContext(typeof(VtpDbContext)), Migration("0021_room_recordings")]
internal sealed class RoomRecordingTables : SqlMigration;
