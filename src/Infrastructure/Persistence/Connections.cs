using Npgsql;

namespace Vtp.Infrastructure.Persistence;

/// <summary>How VTP uses its connections, unless ConnectionStrings__Vtp says otherwise.</summary>
internal static class Connections
{
    // Statements that come again are planned once a connection. Nothing of a request stays behind in a session (no SET, no
    // LISTEN, no lock that outlives its transaction), so that clearing it after every request would be work for nothing.
    private const string Defaults = "Max Auto Prepare=100;No Reset On Close=true;";

    /// <summary>
    /// Row-level security does not hold for a superuser, whom most containers of PostgreSQL offer as their only user. A
    /// session of one becomes a role without that power, which owns what VTP makes.
    /// </summary>
    private const string Demote =
        """
        DO $$
        DECLARE
            thing regclass;
            routine regprocedure;
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('vtp_server'));
            IF to_regrole('vtp_server') IS NULL THEN
                BEGIN
                    CREATE ROLE vtp_server NOLOGIN IN ROLE pg_monitor;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN
                    NULL; -- In another database of this server, at this moment.
                END;
            END IF;
            IF NOT has_schema_privilege('vtp_server', 'public', 'CREATE') OR NOT has_database_privilege('vtp_server', current_database(), 'CREATE') THEN
                EXECUTE format('GRANT CREATE, CONNECT, TEMPORARY ON DATABASE %I TO vtp_server', current_database());
                GRANT USAGE, CREATE ON SCHEMA public TO vtp_server;
                FOR thing IN SELECT class.oid FROM pg_class class
                    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND relowner = session_user::regrole
                LOOP
                    EXECUTE format('ALTER TABLE %s OWNER TO vtp_server', thing);
                END LOOP;
                FOR routine IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner = session_user::regrole
                    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
                LOOP
                    EXECUTE format('ALTER ROUTINE %s OWNER TO vtp_server', routine);
                END LOOP;
            END IF;
        END $$;
        SET ROLE vtp_server
        """;

    /// <summary>Names the pool of <see cref="Pool(string)"/> in metrics and spans.</summary>
    public const string Main = "main";

    /// <summary>Names the pool of <see cref="ReadPool"/> there and among the services.</summary>
    public const string Reads = "reads";

    /// <summary>For everything that may hold its connection while it works.</summary>
    public static NpgsqlDataSource Pool(string connectionString) => Pool(Main, connectionString, size => Math.Max(1, size - ReadsOf(size)));

    /// <summary>
    /// For reads of one round trip, which hold nothing else and wait for nobody: jobs and long transactions cannot take their
    /// connections away. A quarter of Maximum Pool Size, because PostgreSQL answers the same reads cheaper from few sessions.
    /// </summary>
    public static NpgsqlDataSource ReadPool(string connectionString) => Pool(Reads, connectionString, ReadsOf);

    private static int ReadsOf(int size) => Math.Max(1, size / 4);

    private static NpgsqlDataSource Pool(string name, string connectionString, Func<int, int> share)
    {
        // Without a name metrics would call it by its host, database and user.
        var builder = new NpgsqlDataSourceBuilder(Defaults + connectionString) { Name = name };
        var settings = builder.ConnectionStringBuilder;
        settings.MaxPoolSize = share(settings.MaxPoolSize);
        settings.MinPoolSize = Math.Min(settings.MinPoolSize, settings.MaxPoolSize);
        builder.ConfigureTracing(tracing => tracing.EnablePhysicalOpenTracing(false).EnableFirstResponseEvent(false));
        builder.UsePhysicalConnectionInitializer(
            connection =>
            {
                using var command = DemotionOf(connection);
                command?.ExecuteNonQuery();
            },
            async connection =>
            {
                await using var command = DemotionOf(connection);
                await (command?.ExecuteNonQueryAsync() ?? Task.CompletedTask);
            });
        return builder.Build();
    }

    private static NpgsqlCommand? DemotionOf(NpgsqlConnection connection) =>
        connection.PostgresParameters.GetValueOrDefault("is_superuser") == "on" ? new NpgsqlCommand(Demote, connection) : null;
}
