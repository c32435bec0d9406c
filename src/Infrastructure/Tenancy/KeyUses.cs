using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Tenancy;

/// <summary>When each key was last used: noted in memory, written every ten seconds in one statement, and once more at the end.</summary>
internal sealed partial class KeyUses(NpgsqlDataSource database, ILogger<KeyUses> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private const string Sql =
        """
        UPDATE api_keys SET last_used_at = used.at
        FROM (SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) AS used (id, at) ORDER BY id) used
        WHERE api_keys.id = used.id AND (last_used_at IS NULL OR last_used_at < used.at)
        """;

    private ConcurrentDictionary<Guid, DateTimeOffset> _uses = new();

    public void Note(Guid key, DateTimeOffset now) => _uses[key] = now;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await WriteAsync(stoppingToken);
            }
        }
        finally
        {
            await WriteAsync(CancellationToken.None);
        }
    }

    internal async Task WriteAsync(CancellationToken cancellationToken)
    {
        var uses = Interlocked.Exchange(ref _uses, new()).ToArray();
        if (uses.Length == 0)
        {
            return;
        }

        try
        {
            await using var command = database.CreateSystemCommand(
                Sql,
                new NpgsqlParameter { Value = Array.ConvertAll(uses, use => use.Key) },
                new NpgsqlParameter { Value = Array.ConvertAll(uses, use => use.Value.UtcDateTime) });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogLost(uses.Length, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "When {Count} API keys were last used could not be written")]
    private partial void LogLost(int count, Exception exception);
}
