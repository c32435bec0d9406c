using Npgsql;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Jobs;

/// <summary>Jobs that were given up, until somebody decides.</summary>
internal sealed class DeadJobs(NpgsqlDataSource database, TimeProvider clock)
{
    /// <summary>Puts it back into the queue, with all its attempts before it. Where a job of its unique key waits, it joins that one.</summary>
    /// <returns>False: there is none.</returns>
    public async Task<bool> ReplayAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand(
            JobStatements.Replay, new NpgsqlParameter<Guid> { TypedValue = id }, new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow() });
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return batch.BatchCommands[^1].RecordsAffected == 1;
    }
}
