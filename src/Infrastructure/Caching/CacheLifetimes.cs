using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Application.Common.Caching;
using Vtp.Infrastructure.Notices;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Caching;

/// <summary>
/// The times that somebody has set, from a table that all nodes read: when one tells that it has changed, and now and then in
/// any case. While the database is away they are as they were.
/// </summary>
internal sealed partial class CacheLifetimes(
    [FromKeyedServices(Connections.Reads)] NpgsqlDataSource database, CacheLifetimeWakes told, CacheCounts counts, ILogger<CacheLifetimes> logger)
    : BackgroundService, ICacheLifetimes
{
    /// <summary>What is told when one was set.</summary>
    public const string Channel = "!lifetimes";

    private const string Set =
        """
        INSERT INTO cache_lifetimes (prefix, seconds, set_at) VALUES ($1, $2, now())
        ON CONFLICT (prefix) DO UPDATE SET seconds = excluded.seconds, set_at = excluded.set_at
        """;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _one = new(1);
    private IReadOnlyDictionary<string, TimeSpan> _set = new Dictionary<string, TimeSpan>(StringComparer.Ordinal);

    public TimeSpan KeepFor(CachePrefix prefix) => Volatile.Read(ref _set).GetValueOrDefault(prefix.Name, prefix.KeepFor);

    public async Task SetAsync(CachePrefix prefix, TimeSpan keepFor, CancellationToken cancellationToken)
    {
        await using (var command = database.CreateCommand(Set))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = prefix.Name });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = (int)keepFor.TotalSeconds });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await ReadAsync(cancellationToken);
    }

    public async Task ResetAsync(CancellationToken cancellationToken)
    {
        await using (var command = database.CreateCommand("DELETE FROM cache_lifetimes"))
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await ReadAsync(cancellationToken);
    }

    public override void Dispose()
    {
        base.Dispose();
        _one.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ReadAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotRead(exception);
            }

            using var rest = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            rest.CancelAfter(LookEvery);
            await told.WaitAsync(rest.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One after another, so that what is older never comes last.</summary>
    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var found = new Dictionary<string, TimeSpan>(StringComparer.Ordinal);
            await using var command = database.CreateCommand("SELECT prefix, seconds FROM cache_lifetimes");
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                found.Add(reader.GetString(0), TimeSpan.FromSeconds(reader.GetInt32(1)));
            }

            var changed = CachePrefix.All.Where(prefix => found.GetValueOrDefault(prefix.Name, prefix.KeepFor) != KeepFor(prefix)).ToList();
            Volatile.Write(ref _set, found);
            changed.ForEach(prefix => counts.Of(prefix.Name).JudgeAnew());
        }
        finally
        {
            _one.Release();
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "For how long answers are kept could not be read")]
    private partial void LogNotRead(Exception exception);
}

internal sealed class CacheLifetimeWakes : Wakes;
