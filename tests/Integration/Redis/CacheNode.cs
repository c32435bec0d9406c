using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Vtp.Infrastructure.Caching;
using Vtp.Infrastructure.Notices;
using Vtp.Infrastructure.Redis;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Redis;

/// <summary>The cache of one node with all that it hears and tells, and nothing else of a server.</summary>
internal sealed class CacheNode : IAsyncDisposable
{
    private static readonly HybridCacheEntryOptions Hour = new() { Expiration = TimeSpan.FromHours(1) };

    private readonly NpgsqlDataSource _database;
    private readonly List<IHostedService> _services = [];

    private CacheNode(string database, RedisProcess? redis)
    {
        var options = new CacheOptions { HardTimeout = TimeSpan.FromSeconds(20) };
        _database = NpgsqlDataSource.Create(database);
        Removals = new Removals(TimeProvider.System);
        if (redis is not null)
        {
            var configuration = new ConfigurationBuilder()
                .AddInMemoryCollection([new KeyValuePair<string, string?>("ConnectionStrings:Redis", redis.ConnectionString)]).Build();
            Connection = new RedisConnection(RedisOptions.Read(configuration)!, TimeProvider.System, NullLogger<RedisConnection>.Instance);
            Shared = new RedisEntries(Connection, options);
            _services.Add(Connection);
        }

        var invalidations = new Invalidations(_database, Removals, [], NullLogger<Invalidations>.Instance, Connection, Shared);
        _services.Add(invalidations);
        _services.Add(new NoticeListener(
            _database,
            [new NoticeChannel(Invalidations.Channel, invalidations.Heard, invalidations.Listens, invalidations.Deaf)],
            NullLogger<NoticeListener>.Instance));
        Cache = new VtpCache(
            options,
            new LocalEntries(10_000, 64 << 20, TimeProvider.System),
            Removals,
            Counts,
            invalidations.RemoveAsync,
            TimeProvider.System,
            NullLogger<VtpCache>.Instance,
            Shared);
    }

    public VtpCache Cache { get; }

    public CacheCounts Counts { get; } = new();

    public Removals Removals { get; }

    public RedisConnection? Connection { get; }

    public RedisEntries? Shared { get; }

    public static async Task<CacheNode> StartAsync(string database, RedisProcess? redis)
    {
        var node = new CacheNode(database, redis);
        foreach (var service in node._services)
        {
            await service.StartAsync(CancellationToken.None);
        }

        await VtpApi.UntilAsync(() => !node.Removals.IsDeaf, "the node to hear");
        return node;
    }

    /// <summary>Whoever starts makes all forget; a test begins when that is over.</summary>
    public static async Task SettleAsync(params CacheNode[] nodes)
    {
        foreach (var node in nodes)
        {
            var probe = $"probe:{Guid.NewGuid()}";
            await VtpApi.UntilAsync(
                async () =>
                {
                    var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
                    await node.GetAsync(probe, () => first);
                    await Task.Delay(50);
                    return await node.GetAsync(probe, () => second) != second;
                },
                "what is kept to stay");
        }
    }

    public ValueTask<T> GetAsync<T>(string key, Func<T> read, params string[] tags) =>
        Cache.GetOrCreateAsync(key, read, static (read, _) => ValueTask.FromResult(read()), Hour, tags);

    public ValueTask<T> GetAsync<T>(string key, Func<Task<T>> read, params string[] tags) =>
        Cache.GetOrCreateAsync(key, read, static async (read, _) => await read(), Hour, tags);

    public async ValueTask DisposeAsync()
    {
        foreach (var service in Enumerable.Reverse(_services))
        {
            await service.StopAsync(CancellationToken.None);
            (service as IDisposable)?.Dispose();
        }

        Counts.Dispose();
        await _database.DisposeAsync();
    }
}
