using System.Diagnostics;
using StackExchange.Redis;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Redis;

[Collection(Alone.Name)]
public sealed class CacheFaultTests
{
    [Fact]
    public async Task A_silent_Redis_costs_few_requests_anything()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var node = await CacheNode.StartAsync(await TestPostgres.NewDatabaseAsync(), redis);
        await CacheNode.SettleAsync(node);
        await redis.FreezeAsync();

        var times = new List<TimeSpan>();
        for (var turn = 0; turn < 500; turn++)
        {
            var started = Stopwatch.GetTimestamp();
            (await node.GetAsync($"key:{turn}", () => turn)).Should().Be(turn);
            times.Add(Stopwatch.GetElapsedTime(started));
        }

        times.Sort();
        times[475].Should().BeLessThan(TimeSpan.FromMilliseconds(50));
        times[^1].Should().BeLessThan(TimeSpan.FromSeconds(1));
        await redis.ThawAsync();
    }

    [Fact]
    public async Task A_Redis_that_is_killed_and_started_again_is_used_again()
    {
        await using var redis = await RedisProcess.StartAsync();
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis);
        await using var other = await CacheNode.StartAsync(database, redis);
        await CacheNode.SettleAsync(one, other);

        await redis.KillAsync();
        (await one.GetAsync("first", () => 1)).Should().Be(1);
        await redis.StartAgainAsync();
        await VtpApi.UntilAsync(
            async () =>
            {
                var key = $"key:{Guid.NewGuid()}";
                await one.GetAsync(key, () => "one");
                return await other.GetAsync(key, () => "other") == "one";
            },
            "both to share again");
    }

    [Fact]
    public async Task A_full_Redis_keeps_nothing_new_and_forgets_what_is_removed()
    {
        await using var redis = await RedisProcess.StartAsync();
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis);
        await using var other = await CacheNode.StartAsync(database, redis);
        await CacheNode.SettleAsync(one, other);
        (await one.GetAsync("key", () => "old")).Should().Be("old");
        await using var direct = await DirectAsync(redis);
        await direct.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");

        await one.Cache.RemoveAsync("key");
        (await other.GetAsync("key", () => "new")).Should().Be("new");
        (await one.GetAsync("another", () => "kept here")).Should().Be("kept here");
        (await one.GetAsync("another", () => "asked again")).Should().Be("kept here");

        await direct.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
        (await other.GetAsync("third", () => "shared")).Should().Be("shared");
        (await one.GetAsync("third", () => "asked again")).Should().Be("shared");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whatever_lies_in_Redis_an_answer_is_right(bool alsoMarks)
    {
        await using var redis = await RedisProcess.StartAsync();
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis);
        await CacheNode.SettleAsync(one);
        await using var direct = await DirectAsync(redis);
        var random = new Random(2);

        for (var turn = 0; turn < 40; turn++)
        {
            var (key, nonsense) = ($"key:{turn}", new byte[random.Next(80)]);
            random.NextBytes(nonsense);
            foreach (var name in alsoMarks ? [$"vtp:cache:{key}", $"vtp:cache:mark:k:{key}", $"vtp:cache:mark:t:tag{turn}"] : new[] { $"vtp:cache:{key}" })
            {
                await (turn % 2 == 0 ? (Task)direct.Database.ListLeftPushAsync(name, nonsense) : direct.Database.StringSetAsync(name, nonsense));
            }

            (await one.GetAsync(key, () => turn, $"tag{turn}")).Should().Be(turn);
            await one.Cache.RemoveByTagAsync($"tag{turn}");
            (await one.GetAsync(key, () => -turn, $"tag{turn}")).Should().Be(-turn);
        }
    }

    [Fact]
    public async Task What_another_version_wrote_is_read_by_nobody_and_written_anew()
    {
        await using var redis = await RedisProcess.StartAsync();
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis);
        await CacheNode.SettleAsync(one);
        await using var direct = await DirectAsync(redis);
        (await one.GetAsync("key", () => "old")).Should().Be("old");
        var bytes = (byte[])(await direct.Database.StringGetAsync("vtp:cache:key"))!;
        bytes[2] = 99;
        await direct.Database.StringSetAsync("vtp:cache:key", bytes);

        await using var other = await CacheNode.StartAsync(database, redis);
        (await other.GetAsync("key", () => "new")).Should().Be("new");
        ((byte[])(await direct.Database.StringGetAsync("vtp:cache:key"))!)[2].Should().Be(1);
    }

    private static async Task<Direct> DirectAsync(RedisProcess redis) => new(await ConnectionMultiplexer.ConnectAsync($"{redis.ConnectionString},allowAdmin=true"));

    private sealed class Direct(ConnectionMultiplexer connection) : IAsyncDisposable
    {
        public IDatabase Database => connection.GetDatabase();

        public async ValueTask DisposeAsync()
        {
            await connection.CloseAsync();
            connection.Dispose();
        }
    }
}
