using Npgsql;

namespace Vtp.Infrastructure.Persistence;

/// <summary>Tables that only grow, in weeks by <c>recorded_at</c>: what is over is dropped as a whole.</summary>
internal sealed class TimePartitions(NpgsqlDataSource database)
{
    // Who must be waited for, a long read perhaps, holds up everybody behind us: better the next hour.
    private const string Hurry = "SET LOCAL lock_timeout = '5s'";

    /// <summary>
    /// Makes the partitions of the coming weeks, and drops those whose time is over: by the database's clock, which wrote
    /// <c>recorded_at</c>, so that a node's wrong one drops nothing.
    /// </summary>
    /// <param name="table">With a default partition named <c>{table}_rest</c>.</param>
    /// <param name="keep">For how long.</param>
    /// <param name="beforeDrop">What is to be noted of a partition, $1 its name, in the transaction that drops it.</param>
    /// <param name="cancellationToken">Of the job.</param>
    public async Task KeepAsync(string table, TimeSpan keep, string? beforeDrop, CancellationToken cancellationToken)
    {
        await using (var prepare = database.CreateSystemCommand($"SELECT vtp_prepare_partitions('{table}')"))
        {
            await prepare.ExecuteNonQueryAsync(cancellationToken);
        }

        foreach (var partition in await OverAsync(table, keep, cancellationToken))
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var drop = new NpgsqlBatch(connection) { BatchCommands = { new(ScopedCommands.SetSystem), new(Hurry) } };
            if (beforeDrop is not null)
            {
                drop.BatchCommands.Add(new(beforeDrop) { Parameters = { new NpgsqlParameter<string> { TypedValue = partition } } });
            }

            drop.BatchCommands.Add(new($"DROP TABLE IF EXISTS {partition}"));
            await drop.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        await using var rest = database.CreateSystemCommand(
            $"DELETE FROM {table} WHERE tableoid = '{table}_rest'::regclass AND recorded_at < now() - $1", new NpgsqlParameter<TimeSpan> { TypedValue = keep });
        await rest.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<IReadOnlyList<string>> OverAsync(string table, TimeSpan keep, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT coalesce(array_agg(name::text), '{}') FROM vtp_partitions_before($1::regclass, now() - $2) AS name");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = table });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = keep });
        return (string[])(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
