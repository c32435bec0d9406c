using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Infrastructure.Persistence;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Startup;

/// <summary>The SQL makes the schema and the model reads it: two descriptions of one thing, which must not drift apart.</summary>
public sealed class SchemaTests(VtpApi api) : IClassFixture<VtpApi>
{
    // Read and written by hand, beneath EF Core.
    private static readonly string[] WithoutModel =
    [
        "__EFMigrationsHistory", "account_activity", "archive_export_chunks", "audit_chains", "audit_checkpoints", "audit_counts", "audit_retentions", "audit_signing_keys", "cache_lifetimes", "dashboard_ticks", "data_protection_keys",
        "dead_jobs", "event_consumers", "event_log", "events", "idempotency_keys", "job_minutes", "jobs", "livekit_events", "paused_job_kinds",
        "realtime_log", "realtime_messages", "realtime_sessions", "realtime_tickets", "relay_frames", "relay_links", "relay_nodes", "signing_keys",
        "signaling_nodes", "signaling_places", "signaling_removals", "signaling_rooms", "room_recordings",
        "qrtz_job_details", "qrtz_triggers", "qrtz_simple_triggers", "qrtz_cron_triggers", "qrtz_simprop_triggers",
        "qrtz_blob_triggers", "qrtz_calendars", "qrtz_paused_trigger_grps", "qrtz_paused_job_grps", "qrtz_fired_triggers",
        "qrtz_scheduler_state", "qrtz_locks", "qrtz_execution_history", "qrtz_misfire_history", "qrtz_job_status",
        "tracker_journal", "tracker_peers", "tracker_files", "tracker_members",
    ];

    [Fact]
    public async Task The_model_and_the_migrated_database_have_the_same_columns()
    {
        var (model, database) = (OfModel(), await OfDatabaseAsync());

        model.Should().NotBeEmpty();
        model.Except(database).Should().BeEmpty("the database should have every column of the model");
        database.Except(model).Should().BeEmpty("the model should have every column of the database");
    }

    [Fact]
    public async Task Tables_without_a_model_are_the_ones_that_are_known()
    {
        await using var source = NpgsqlDataSource.Create(api.ConnectionString);
        await using var command = source.CreateCommand("SELECT array_agg(tablename::text) FROM pg_tables JOIN pg_class ON oid = format('%I.%I', schemaname, tablename)::regclass WHERE schemaname = 'public' AND NOT relispartition");
        var tables = (string[])(await command.ExecuteScalarAsync())!;

        tables.Except(OfModel().Select(column => column.Table), StringComparer.Ordinal).Should().BeEquivalentTo(WithoutModel);
    }

    private List<ColumnFacts> OfModel()
    {
        using var scope = api.Service<IServiceScopeFactory>().CreateScope();
        var tables = scope.ServiceProvider.GetRequiredService<VtpDbContext>().Model.GetRelationalModel().Tables;
        return
        [
            .. from table in tables
               from column in table.Columns
               where column.Name != VtpDbContext.RowVersion // PostgreSQL's own, which every table has.
               select new ColumnFacts(table.Name, column.Name, column.StoreType, column.IsNullable, KeyPosition(table, column)),
        ];
    }

    private static int KeyPosition(ITable table, IColumn column) => table.PrimaryKey!.Columns.ToList().IndexOf(column) + 1;

    private async Task<List<ColumnFacts>> OfDatabaseAsync()
    {
        await using var source = NpgsqlDataSource.Create(api.ConnectionString);
        await using var command = source.CreateCommand(
            """
            SELECT class.relname, attname, format_type(atttypid, atttypmod), NOT attnotnull,
                coalesce(array_position(conkey, attnum), 0)
            FROM pg_attribute
            JOIN pg_class class ON class.oid = attrelid AND relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
            LEFT JOIN pg_constraint ON conrelid = class.oid AND contype = 'p'
            WHERE attnum > 0 AND NOT attisdropped AND class.relname <> ALL ($1)
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = WithoutModel });
        await using var reader = await command.ExecuteReaderAsync();
        var columns = new List<ColumnFacts>();
        while (await reader.ReadAsync())
        {
            columns.Add(new ColumnFacts(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3), reader.GetInt32(4)));
        }

        return columns;
    }

    /// <param name="KeyPosition">From 1 within the primary key; 0 outside it.</param>
    private sealed record ColumnFacts(string Table, string Name, string Type, bool IsNullable, int KeyPosition);
}
