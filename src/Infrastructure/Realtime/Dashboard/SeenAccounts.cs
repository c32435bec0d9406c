using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Vtp.Infrastructure.Realtime.Dashboard;

/// <summary>
/// Who has shown an access token, on any node. Sessions tell only when one was begun or renewed, which a person does once an
/// hour. A request costs one look into a dictionary; what is new there is written every few seconds.
/// </summary>
internal sealed partial class SeenAccounts(NpgsqlDataSource database, TimeProvider clock, ILogger<SeenAccounts> logger) : BackgroundService
{
    /// <summary>For so long somebody counts as active.</summary>
    public static readonly TimeSpan ActiveFor = TimeSpan.FromMinutes(15);

    // Many more in a few seconds would be no people.
    private const int Most = 100_000;
    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(5);

    private const string Write =
        """
        INSERT INTO account_activity (account_id, seen_at) SELECT unnest($1), $2
        ON CONFLICT (account_id) DO UPDATE SET seen_at = greatest(account_activity.seen_at, excluded.seen_at)
        """;

    private const string Forget = "DELETE FROM account_activity WHERE seen_at <= $1";

    private ConcurrentDictionary<Guid, byte> _seen = new();

    public void Note(Guid account)
    {
        if (!_seen.ContainsKey(account) && _seen.Count < Most)
        {
            _seen.TryAdd(account, 0);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(WriteEvery, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var seen = Interlocked.Exchange(ref _seen, new());
            try
            {
                await WriteAsync([.. seen.Keys], stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception); // Who goes on is seen again.
            }
        }
    }

    private async Task WriteAsync(Guid[] accounts, CancellationToken cancellationToken)
    {
        if (accounts.Length == 0)
        {
            return;
        }

        var now = clock.GetUtcNow();
        Array.Sort(accounts); // Nodes that write the same rows take them in the same order.
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Write)
        {
            Parameters = { new NpgsqlParameter { Value = accounts, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid }, new NpgsqlParameter<DateTimeOffset> { TypedValue = now } },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Forget) { Parameters = { new NpgsqlParameter<DateTimeOffset> { TypedValue = now - ActiveFor } } });
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Who was seen could not be written down")]
    private partial void LogFailed(Exception exception);
}
