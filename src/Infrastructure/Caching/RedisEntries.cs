using System.Security.Cryptography;
using StackExchange.Redis;
using Vtp.Infrastructure.Redis;

namespace Vtp.Infrastructure.Caching;

/// <summary>
/// The answers that all nodes share. Each name of an entry has a mark in Redis, eight random bytes; an entry holds those
/// that it found before its source was read, and counts for as long as they are the same. Removing a name is deleting its
/// mark, which a full Redis allows too: no entry has to be found, no clock compared, and who began before the removal and
/// writes after it writes what nobody believes.
/// </summary>
internal sealed class RedisEntries
{
    // Longer than any entry lives.
    private static readonly TimeSpan MarksLive = TimeSpan.FromHours(25);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(1);

    private const string ReleaseScript = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";
    private const string RenewScript = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end";

    private readonly RedisConnection _redis;
    private readonly string _prefix;
    private int _isDoubted;

    public RedisEntries(RedisConnection redis, CacheOptions options)
    {
        (_redis, _prefix) = (redis, $"{options.Prefix}:cache:");
        redis.Restored += (_, _) => Doubt();
    }

    public bool IsUp => _redis.IsUp;

    public string Channel => $"{_prefix}removed";

    /// <summary>What it holds may be wrong: removals did not arrive, or it was loaded from a file. All is removed before it is asked again.</summary>
    public void Doubt() => Volatile.Write(ref _isDoubted, 1);

    public async ValueTask<SharedRead<T>> ReadAsync<T>(string key, string[] names)
    {
        if (Volatile.Read(ref _isDoubted) == 1 && !await RemoveEverythingAsync())
        {
            return default;
        }

        RedisKey[] keys = [$"{_prefix}{key}", .. names.Select(Mark)];
        var (isAnswered, values) = await _redis.AskAsync(database => database.StringGetAsync(keys), CancellationToken.None);
        if (isAnswered && !TryMarks(values!, out _))
        {
            (isAnswered, values) = await _redis.AskAsync(database => CreateMarksAsync(database, keys, values!), CancellationToken.None);
        }

        if (!isAnswered || !TryMarks(values!, out var marks))
        {
            return default;
        }

        return new(marks, CacheFormat.TryRead<T>((byte[]?)values![0], marks, out var entry) ? entry : null);
    }

    /// <param name="key">The entry's.</param>
    /// <param name="payload">Of <see cref="CacheFormat"/>.</param>
    /// <param name="keepFor">By Redis's own clock.</param>
    /// <param name="lease">Given back in the same round trip.</param>
    public async ValueTask WriteAsync(string key, byte[] payload, TimeSpan keepFor, CacheLease? lease)
    {
        await _redis.AskAsync(
            database =>
            {
                var written = database.StringSetAsync($"{_prefix}{key}", payload, keepFor);
                return lease is null ? written : Both(written, lease.ReleaseAsync(database));
            },
            CancellationToken.None);

        static async Task<bool> Both(Task<bool> written, Task released)
        {
            await Task.WhenAll(written, released);
            return await written;
        }
    }

    /// <summary>Removes the names here and tells the other nodes, in one round trip.</summary>
    /// <returns>False: Redis does not know of it.</returns>
    public async ValueTask<bool> RemoveAsync(IReadOnlyCollection<string> names, string? message)
    {
        var marks = names.Select(Mark).ToArray();
        var (isAnswered, _) = await _redis.AskAsync(
            async database =>
            {
                var removed = database.KeyDeleteAsync(marks);
                var told = message is null ? Task.CompletedTask : database.PublishAsync(Channel, message);
                await Task.WhenAll(removed, told);
                return true;
            },
            CancellationToken.None);
        if (!isAnswered)
        {
            Doubt();
        }

        return isAnswered;
    }

    /// <returns>Not taken: another node has it, or Redis does not answer.</returns>
    public async ValueTask<(bool IsAnswered, CacheLease? Lease)> TakeAsync(string key, byte[][] marks)
    {
        // Who began before a removal keeps nobody waiting who came after it.
        RedisKey name = $"{_prefix}lock:{key}:{Convert.ToHexStringLower(SHA256.HashData(marks.SelectMany(mark => mark).ToArray()).AsSpan(0, 8))}";
        RedisValue owner = RandomNumberGenerator.GetBytes(16);
        var (isAnswered, isTaken) = await _redis.AskAsync(
            database => database.StringSetAsync(name, owner, Lease, When.NotExists), CancellationToken.None);
        return (isAnswered, isTaken ? new CacheLease(_redis, name, owner) : null);
    }

    private async ValueTask<bool> RemoveEverythingAsync()
    {
        var (isAnswered, _) = await _redis.AskAsync(database => database.KeyDeleteAsync(Mark(CacheNames.Everything)), CancellationToken.None);
        if (isAnswered)
        {
            Volatile.Write(ref _isDoubted, 0);
        }

        return isAnswered;
    }

    private static async Task<RedisValue[]> CreateMarksAsync(IDatabase database, RedisKey[] keys, RedisValue[] values)
    {
        var created = new List<Task>();
        for (var index = 1; index < keys.Length; index++)
        {
            if (values[index].IsNull)
            {
                created.Add(database.StringSetAsync(keys[index], RandomNumberGenerator.GetBytes(CacheFormat.MarkLength), MarksLive, When.NotExists));
            }
        }

        var read = database.StringGetAsync(keys);
        await Task.WhenAll(created);
        return await read;
    }

    /// <returns>False: one is missing, or something else lies in its place.</returns>
    private static bool TryMarks(RedisValue[] values, out byte[][] marks)
    {
        marks = [.. values.Skip(1).Select(value => (byte[]?)value ?? [])];
        return Array.TrueForAll(marks, mark => mark.Length == CacheFormat.MarkLength);
    }

    private RedisKey Mark(string name) => $"{_prefix}mark:{name}";

    /// <summary>The right to ask the source for all nodes: lost within a second when its node is, renewed while it works.</summary>
    internal sealed class CacheLease(RedisConnection redis, RedisKey name, RedisValue owner) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _over = new();
        private Task _renewing = Task.CompletedTask;
        private bool _isReleased;

        /// <param name="clock">A factory that is done sooner costs no renewal.</param>
        public void KeepRenewing(TimeProvider clock) => _renewing = RenewAsync(clock);

        public Task ReleaseAsync(IDatabase database)
        {
            _isReleased = true;
            return database.ScriptEvaluateAsync(ReleaseScript, [name], [owner]);
        }

        public async ValueTask DisposeAsync()
        {
            await _over.CancelAsync();
            await _renewing;
            _over.Dispose();
            if (!_isReleased)
            {
                await redis.AskAsync(database => database.ScriptEvaluateAsync(ReleaseScript, [name], [owner]), CancellationToken.None);
            }
        }

        private async Task RenewAsync(TimeProvider clock)
        {
            while (await DelayAsync(clock))
            {
                await redis.AskAsync(
                    database => database.ScriptEvaluateAsync(RenewScript, [name], [owner, (long)Lease.TotalMilliseconds]), CancellationToken.None);
            }
        }

        /// <returns>False: it is over.</returns>
        private async Task<bool> DelayAsync(TimeProvider clock)
        {
            await Task.Delay(Lease / 3, clock, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return !_over.IsCancellationRequested;
        }
    }
}

/// <param name="Marks">Null: Redis does not answer, or not sensibly; nothing is written there.</param>
/// <param name="Entry">Null: there is none.</param>
internal readonly record struct SharedRead<T>(byte[][]? Marks, SharedEntry<T>? Entry);
