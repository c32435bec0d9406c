using System.Globalization;
using Npgsql;
using Vtp.Application.Operations.Performance;

namespace Vtp.Infrastructure.Performance;

internal sealed class DatabasePerformanceReader(NpgsqlDataSource database) : IDatabasePerformance
{
    private const int AnalyzeSeconds = 30;

    // Not asked for by name alone: the view exists where its library is not loaded, and fails there.
    private const string HasStatements = "SELECT to_regclass('pg_stat_statements') IS NOT NULL";

    private const string Statements =
        """
        SELECT left(query, 2000), calls, mean_exec_time, max_exec_time FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND max_exec_time >= $1 AND query <> '<insufficient privilege>'
        ORDER BY max_exec_time DESC LIMIT 50
        """;

    // Autovacuum comes at a tenth of the rows and fifty; here half as many again have been missed, or it is late.
    private const string Stale =
        """
        SELECT quote_ident(relname), n_live_tup, n_mod_since_analyze, greatest(last_analyze, last_autoanalyze) FROM pg_stat_user_tables
        WHERE schemaname = 'public' AND n_mod_since_analyze >= 1000 AND n_mod_since_analyze > n_live_tup * 0.15
        ORDER BY n_mod_since_analyze DESC LIMIT 20
        """;

    private const string Scanned =
        """
        SELECT relname, n_live_tup, seq_scan, coalesce(idx_scan, 0) FROM pg_stat_user_tables
        WHERE schemaname = 'public' AND n_live_tup > 10000 AND seq_scan > 100 AND seq_scan > coalesce(idx_scan, 0)
        ORDER BY seq_tup_read DESC LIMIT 20
        """;

    public async Task<IReadOnlyList<SlowQuery>?> SlowQueriesAsync(double slowMs, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var has = new NpgsqlCommand(HasStatements, connection))
        {
            if (await has.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return null;
            }
        }

        try
        {
            await using var command = new NpgsqlCommand(Statements, connection) { Parameters = { new NpgsqlParameter<double> { TypedValue = slowMs } } };
            return await ReadAsync(
                command,
                row => new SlowQuery(
                    StatementText.Normalise(row.GetString(0)), row.GetInt64(1), Math.Round(row.GetDouble(2), 3), Math.Round(row.GetDouble(3), 3), LastAt: null, TraceId: null),
                cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.ObjectNotInPrerequisiteState or PostgresErrorCodes.InsufficientPrivilege)
        {
            return null; // Its library is not loaded, or it is not for us to read.
        }
    }

    public async Task<IReadOnlyList<StaleTable>> StaleTablesAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Stale);
        return await ReadAsync(
            command,
            row => new StaleTable(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3)),
            cancellationToken);
    }

    public async Task<IReadOnlyList<ScannedTable>> ScannedTablesAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Scanned);
        return await ReadAsync(command, row => new ScannedTable(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)), cancellationToken);
    }

    public async Task<bool> AnalyzeAsync(string table, CancellationToken cancellationToken)
    {
        try
        {
#pragma warning disable CA2100 // A name that PostgreSQL itself has just quoted.
            await using var command = database.CreateCommand(string.Create(CultureInfo.InvariantCulture, $"ANALYZE public.{table}"));
#pragma warning restore CA2100
            command.CommandTimeout = AnalyzeSeconds;
            await command.ExecuteNonQueryAsync(cancellationToken);
            return true;
        }
        catch (NpgsqlException exception) when (exception.InnerException is TimeoutException || exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return false;
        }
    }

    private static async Task<IReadOnlyList<T>> ReadAsync<T>(NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var found = new List<T>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(read(reader));
        }

        return found;
    }
}
