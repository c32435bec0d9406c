using Microsoft.Extensions.Options;
using Npgsql;
using Vtp.Application.Operations.Upkeep;
using Vtp.Application.Tenancy.Exports;
using Vtp.Domain.Tenancy.Exports;
using Vtp.Infrastructure.Audit;
using Vtp.Infrastructure.Events;
using Vtp.Infrastructure.Idempotency;
using Vtp.Infrastructure.Jobs;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Tokens;
using Vtp.Infrastructure.Webhooks;

namespace Vtp.Infrastructure.Upkeep;

/// <summary>A thousand rows at a time, so that nobody waits long behind one statement.</summary>
internal sealed class DatabaseUpkeep(
    NpgsqlDataSource database,
    ExpiredAnswers answers,
    AuditExpiry audit,
    AuditSealer sealer,
    TimePartitions partitions,
    EventOptions events,
    JobOptions jobs,
    IOptions<TokenOptions> tokens,
    TimeProvider clock) : IUpkeep
{
    private const int Batch = 1000;

    /// <summary>For so long what is deleted can be brought back.</summary>
    internal static readonly TimeSpan DeletedFor = TimeSpan.FromDays(30);

    internal static readonly TimeSpan InvitationsFor = TimeSpan.FromDays(90);

    // Somebody may yet ask which device it was.
    internal static readonly TimeSpan SessionsFor = TimeSpan.FromDays(30);

    internal static readonly TimeSpan JobMinutesFor = TimeSpan.FromDays(2);

    // A server of the version before takes a mail within a second of its time, and again five minutes later when it died.
    private static readonly TimeSpan MailAlone = TimeSpan.FromMinutes(1);

    // It says who was written to, and about what.
    private static readonly TimeSpan MailFor = TimeSpan.FromDays(30);

    private static readonly TimeSpan AlertsFor = TimeSpan.FromDays(90);

    private static readonly TimeSpan Overdue = TimeSpan.FromMinutes(1);

    private const string NoteDropped =
        "UPDATE event_log SET dropped = greatest(dropped, (SELECT max(position) FROM events WHERE tableoid = $1::text::regclass))";

    public async Task RemoveExpiredSecretsAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await RemoveAsync("sign_in_challenges", "expires_at <= $1", now, cancellationToken);
        await RemoveAsync("email_codes", "expires_at <= $1", now, cancellationToken);
        await RemoveAsync("password_reset_tokens", "expires_at <= $1", now, cancellationToken);
        await RemoveAsync("email_verification_tokens", "expires_at <= $1", now, cancellationToken);
        await RemoveAsync("setup_links", "expires_at <= $1", now, cancellationToken);
        await RemoveAsync("sessions", "ended_at <= $1", now - SessionsFor, cancellationToken);
        await RemoveAsync("sessions", "created_at <= $1", now - SessionsFor - tokens.Value.RefreshAbsolute, cancellationToken);
    }

    public Task RemoveExpiredAnswersAsync(CancellationToken cancellationToken) => answers.DeleteAsync(cancellationToken);

    public Task KeepAuditPartitionsAsync(CancellationToken cancellationToken) => audit.RunOnceAsync(cancellationToken);

    public Task SignAuditCheckpointsAsync(CancellationToken cancellationToken) => sealer.CheckpointAllAsync(cancellationToken);

    public async Task PurgeDeletedAsync(CancellationToken cancellationToken)
    {
        // What belongs to them goes with them. Their trail has no foreign keys, and stays for its own time.
        var now = clock.GetUtcNow();
        foreach (var table in new[] { "jobs", "dead_jobs" })
        {
            await RemoveAsync(
                table,
                "organization_id IN (SELECT id FROM organizations WHERE deleted_at <= $1) OR project_id IN (SELECT id FROM projects WHERE deleted_at <= $1)",
                now - DeletedFor,
                cancellationToken);
        }

        foreach (var log in new[] { "events", "webhook_deliveries", "webhook_attempts" })
        {
            await using var forget = database.CreateSystemCommand(
                $"""
                DELETE FROM {log} WHERE organization_id IN (SELECT id FROM organizations WHERE deleted_at <= $1)
                    OR project_id IN (SELECT id FROM projects WHERE deleted_at <= $1)
                """,
                new NpgsqlParameter<DateTimeOffset> { TypedValue = now - DeletedFor });
            await forget.ExecuteNonQueryAsync(cancellationToken);
        }

        await RemoveAsync("room_recordings", "organization_id IN (SELECT id FROM organizations WHERE deleted_at <= $1)", now - DeletedFor, cancellationToken);
        await RemoveAsync("projects", "deleted_at <= $1", now - DeletedFor, cancellationToken);
        await RemoveAsync("organizations", "deleted_at <= $1", now - DeletedFor, cancellationToken);
        await RemoveAsync("invitations", "expires_at <= $1", now - InvitationsFor, cancellationToken);
    }

    public async Task RemoveOldJobsAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await RemoveAsync("dead_jobs", "died_at <= $1", now - jobs.KeepDead, cancellationToken);
        await RemoveAsync("job_minutes", "minute <= $1", now - JobMinutesFor, cancellationToken);
        await RemoveAsync("emails", "settled_at <= $1", now - MailFor, cancellationToken);
        await RemoveAsync("system_alerts", "resolved_at <= $1", now - AlertsFor, cancellationToken);
        await RemoveAsync("dashboard_alerts", "created_at <= $1", now - AlertsFor, cancellationToken);
    }

    public async Task KeepEventPartitionsAsync(CancellationToken cancellationToken)
    {
        var deliveries = TimeSpan.FromDays(events.KeepDeliveriesDays);
        await partitions.KeepAsync("events", TimeSpan.FromDays(events.KeepDays), NoteDropped, cancellationToken);
        await partitions.KeepAsync("webhook_deliveries", deliveries, beforeDrop: null, cancellationToken);
        await partitions.KeepAsync("webhook_attempts", deliveries, beforeDrop: null, cancellationToken);
        await RemoveAsync("livekit_events", "received_at <= $1", clock.GetUtcNow() - deliveries, cancellationToken);
    }

    public async Task SweepWebhooksAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await using var command = database.CreateSystemCommand(
            WebhookStatements.WakeOverdue,
            new NpgsqlParameter<DateTimeOffset> { TypedValue = now - Overdue },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
            new NpgsqlParameter<string> { TypedValue = WebhookFanOut.Job.Name },
            new NpgsqlParameter<int> { TypedValue = WebhookFanOut.Job.Policy.MaxAttempts });
        await command.ExecuteNonQueryAsync(cancellationToken);
        await RemoveAsync("webhook_secrets", "expires_at <= $1", now, cancellationToken);
    }

    public async Task SweepExportsAsync(CancellationToken cancellationToken)
    {
        // A job goes only after its export is ready, so that an export without a job has nobody who makes it.
        var now = clock.GetUtcNow();
        await using var command = database.CreateSystemCommand(
            """
            UPDATE archive_exports export SET state = 'failed', error = 'It failed again and again. The operator of the server sees why.', finished_at = $1, expires_at = $2
            WHERE state IN ('queued', 'running')
                AND NOT EXISTS (SELECT FROM jobs WHERE kind = $3 AND lane = export.organization_id AND unique_key = export.id::text)
            """,
            new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = now + ArchiveExport.KeptFor },
            new NpgsqlParameter<string> { TypedValue = WriteExportCommand.Kind });
        await command.ExecuteNonQueryAsync(cancellationToken);
        await RemoveAsync("archive_export_chunks", "export_id IN (SELECT id FROM archive_exports WHERE expires_at <= $1)", now, cancellationToken);
        await RemoveAsync("archive_exports", "expires_at <= $1", now, cancellationToken);
    }

    public async Task AdoptMailAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateSystemCommand(
            """
            WITH alone AS (
                UPDATE emails SET next_attempt_at = NULL WHERE id = ANY (ARRAY(
                    SELECT id FROM emails WHERE settled_at IS NULL AND next_attempt_at <= $1 FOR UPDATE SKIP LOCKED)) RETURNING id)
            INSERT INTO jobs (id, kind, payload, unique_key, priority, state, run_at, max_attempts, actor_type, enqueued_at)
            SELECT gen_random_uuid(), 'email.send', json_build_object('EmailId', id), id, 0, 'ready', $2, 30, 'system', $2 FROM alone
            """,
            new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow() - MailAlone },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow() });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task RemoveAsync(string table, string condition, DateTimeOffset before, CancellationToken cancellationToken)
    {
        for (var removed = Batch; removed == Batch;)
        {
            await using var command = database.CreateSystemCommand(
                $"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {condition} LIMIT {Batch} FOR UPDATE SKIP LOCKED))",
                new NpgsqlParameter<DateTimeOffset> { TypedValue = before });
            await command.ExecuteNonQueryAsync(cancellationToken);
            removed = (int)command.BatchCommands[^1].RecordsAffected;
        }
    }
}
