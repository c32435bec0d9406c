using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Vtp.Infrastructure.Idempotency;

/// <summary>Deletes answers that nobody is given any more, each hour. Any number of nodes may run it.</summary>
internal sealed partial class ExpiredAnswers(NpgsqlDataSource database, TimeProvider clock, ILogger<ExpiredAnswers> logger) : BackgroundService
{
    private const int Batch = 1000;
    private static readonly TimeSpan Pause = TimeSpan.FromHours(1);

    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        while (await DeleteBatchAsync(cancellationToken) == Batch)
        {
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await DeleteAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogDeletionFailed(exception);
            }
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Expired answers could not be deleted; trying again in an hour")]
    private partial void LogDeletionFailed(Exception exception);
}
