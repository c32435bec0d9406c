using Npgsql;

namespace Vtp.Infrastructure.Idempotency;

/// <summary>Deletes answers that nobody is given any more. Any number of nodes may do so at once.</summary>
internal sealed class ExpiredAnswers(NpgsqlDataSource database, TimeProvider clock)
{
    private const int Batch = 1000;

    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        while (await DeleteBatchAsync(cancellationToken) == Batch)
        {
        }
    }

    private async Task<int> DeleteBatchAsync(CancellationToken cancellationToken)
    {
        // A row that somebody holds is being replaced by a new answer.
        await using var command = database.CreateCommand(
            """
            DELETE FROM idempotency_keys WHERE key_hash = ANY (ARRAY(
                SELECT key_hash FROM idempotency_keys WHERE answered_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = clock.GetUtcNow() - IdempotencyStore.KeepFor });
        command.Parameters.Add(new NpgsqlParameter { Value = Batch });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
