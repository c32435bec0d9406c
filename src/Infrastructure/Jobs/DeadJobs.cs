using Npgsql;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Jobs;

/// <summary>Jobs that were given up, until somebody decides.</summary>
internal sealed class DeadJobs(NpgsqlDataSource database, TimeProvider clock)
{
    private const int AtOnce = 1000;

    /// <summary>Puts it back into the queue, with all its attempts before it. Where a job of its unique key waits, it joins that one.</summary>
    /// <returns>False: there is none.</returns>
    public async Task<bool> ReplayAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand(
            JobStatements.Replay, new NpgsqlParameter<Guid> { TypedValue = id }, new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow() });
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return batch.BatchCommands[^1].RecordsAffected == 1;
    }

    /// <summary>A thousand at a time, so that nobody waits long behind them. What dies again meanwhile stays dead.</summary>
    /// <returns>How many.</returns>
    public async Task<int> ReplayAsync(string kind, int limit, CancellationToken cancellationToken)
    {
        var (now, replayed) = (clock.GetUtcNow(), 0);
        for (var more = true; more && replayed < limit;)
        {
            var wanted = Math.Min(AtOnce, limit - replayed);
            await using var batch = database.CreateSystemCommand(
                JobStatements.ReplayKind,
                new NpgsqlParameter<string> { TypedValue = kind },
                new NpgsqlParameter<int> { TypedValue = wanted },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
            await using var reader = await batch.ReadAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            var found = reader.GetInt32(0);
            (replayed, more) = (replayed + found, found == wanted);
        }

        return replayed;
    }
}
