using System.Diagnostics;
using Npgsql;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Redis;

[Collection(Alone.Name)]
public sealed class CacheAcrossNodesTests
{
    public enum Weather
    {
        WithRedis,
        WithoutRedis,
        RedisKilled,
        RedisFrozen,
    }

    [Fact]
    public async Task A_thousand_parallel_misses_on_two_nodes_are_one_factory_call()
    {
        await using var redis = await RedisProcess.StartAsync();
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis);
        await using var other = await CacheNode.StartAsync(database, redis);
        await CacheNode.SettleAsync(one, other);
        var calls = 0;
        var started = Stopwatch.GetTimestamp();

        var readers = Enumerable.Range(0, 1000).Select(turn => (turn % 2 == 0 ? one : other).GetAsync(
            "hot",
            async () =>
            {
                Interlocked.Increment(ref calls);

                // The right to ask is lent for a second; who works longer keeps it.
                await VtpApi.UntilAsync(() => Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(2.5), "the lease to be renewed");
                return calls;
            }).AsTask()).ToList();

        (await Task.WhenAll(readers)).Should().OnlyContain(value => value == 1);
        calls.Should().Be(1);
    }

    [Fact]
    public async Task When_the_node_that_asks_dies_another_one_asks()
    {
        await using var redis = await RedisProcess.StartAsync();
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis);
        await CacheNode.SettleAsync(one);
        var names = Vtp.Infrastructure.Caching.CacheNames.Of("key", []);
        var marks = (await one.Shared!.ReadAsync<string>("key", names)).Marks!;
        (await one.Shared.TakeAsync("key", marks)).Lease.Should().NotBeNull("nobody gives it back, as after kill -9");

        (await one.GetAsync("key", () => "answer")).Should().Be("answer");
    }

    [Fact]
    public async Task What_one_node_has_asked_for_the_other_finds_in_Redis()
    {
        await using var redis = await RedisProcess.StartAsync();
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis);
        await using var other = await CacheNode.StartAsync(database, redis);
        await CacheNode.SettleAsync(one, other);
        var text = new string('x', 100_000);

        (await one.GetAsync("key", () => text, "tag")).Should().Be(text);

        (await other.GetAsync("key", () => "not asked for", "tag")).Should().Be(text);
        other.Counts.Of("key").SharedHits.Should().Be(1);
    }

    [Theory]
    [InlineData(Weather.WithRedis)]
    [InlineData(Weather.WithoutRedis)]
    [InlineData(Weather.RedisKilled)]
    [InlineData(Weather.RedisFrozen)]
    public async Task What_one_node_removes_is_gone_on_the_other_within_a_quarter_of_a_second(Weather weather)
    {
        await using var redis = await RedisProcess.StartAsync();
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, weather == Weather.WithoutRedis ? null : redis);
        await using var other = await CacheNode.StartAsync(database, weather == Weather.WithoutRedis ? null : redis);
        await CacheNode.SettleAsync(one, other);
        await (weather switch
        {
            Weather.RedisKilled => redis.KillAsync(),
            Weather.RedisFrozen => redis.FreezeAsync(),
            _ => Task.CompletedTask,
        });
        var (truth, times) = (0, new List<TimeSpan>());

        for (var turn = 1; turn <= 40; turn++)
        {
            (await other.GetAsync("key", () => truth, "tag")).Should().Be(truth);
            truth = turn;
            await (turn % 2 == 0 ? one.Cache.RemoveAsync("key") : one.Cache.RemoveByTagAsync("tag"));
            var removed = Stopwatch.GetTimestamp();
            (await one.GetAsync("key", () => truth, "tag")).Should().Be(turn, "who removed it sees that at once");
            await VtpApi.UntilAsync(async () => await other.GetAsync("key", () => truth, "tag") == turn, "the other node to forget");
            times.Add(Stopwatch.GetElapsedTime(removed));
        }

        times.Sort();
        // Of a silent Redis one caller in half a second waits for an answer that does not come.
        times[weather == Weather.RedisFrozen ? times.Count * 3 / 4 : times.Count - 3].Should().BeLessThan(TimeSpan.FromMilliseconds(250), "the whole: {0}", string.Join(' ', times.Select(time => (int)time.TotalMilliseconds)));
    }

    [Fact]
    public async Task What_was_removed_while_a_node_heard_nothing_is_gone_when_it_hears_again()
    {
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis: null);
        await using var other = await CacheNode.StartAsync(database, redis: null);
        await CacheNode.SettleAsync(one, other);
        await using var admin = NpgsqlDataSource.Create(database);
        for (var turn = 0; turn < 3; turn++)
        {
            (await other.GetAsync("key", () => turn)).Should().Be(turn);
            await using var command = admin.CreateCommand("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()");
            await command.ExecuteScalarAsync();
            await one.Cache.RemoveAsync("key");

            await VtpApi.UntilAsync(async () => await other.GetAsync("key", () => turn + 1) == turn + 1, "the old answer to be doubted");
        }
    }

    [Fact]
    public async Task Who_was_deaf_and_hears_again_believes_nothing_from_before()
    {
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis: null);
        await using var other = await CacheNode.StartAsync(database, redis: null);
        await CacheNode.SettleAsync(one, other);
        (await other.GetAsync("key", () => "old")).Should().Be("old");
        await using var admin = NpgsqlDataSource.Create(database);
        await using var command = admin.CreateCommand("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()");
        await command.ExecuteScalarAsync();
        await VtpApi.UntilAsync(() => other.Removals.IsDeaf, "it to hear nothing");
        await one.Cache.RemoveAsync("key");

        // Nobody asks meanwhile: what is not doubted then is what is believed afterwards.
        await VtpApi.UntilAsync(() => !other.Removals.IsDeaf, "it to hear again");
        (await other.GetAsync("key", () => "new")).Should().Be("new");
    }

    [Fact]
    public async Task What_was_removed_while_Redis_was_silent_does_not_come_back_with_it()
    {
        await using var redis = await RedisProcess.StartAsync();
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis);
        await CacheNode.SettleAsync(one);
        (await one.GetAsync("key", () => "old")).Should().Be("old");

        await redis.FreezeAsync();
        await one.Cache.RemoveAsync("key");
        (await one.GetAsync("key", () => "new")).Should().Be("new");
        await redis.ThawAsync();

        await using var late = await CacheNode.StartAsync(database, redis);
        (await late.GetAsync("key", () => "new")).Should().Be("new");
    }

    [Fact]
    public async Task An_answer_that_was_begun_before_its_removal_is_believed_by_no_node()
    {
        await using var redis = await RedisProcess.StartAsync();
        var database = await TestPostgres.NewDatabaseAsync();
        await using var one = await CacheNode.StartAsync(database, redis);
        await using var other = await CacheNode.StartAsync(database, redis);
        await CacheNode.SettleAsync(one, other);
        var gate = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        var slow = one.GetAsync("key", async () =>
        {
            begun.SetResult();
            await gate.Task;
            return "old";
        }, "tag").AsTask();
        await begun.Task;
        await other.Cache.RemoveByTagAsync("tag");
        gate.SetResult();
        (await slow).Should().Be("old");

        (await other.GetAsync("key", () => "new", "tag")).Should().Be("new");
        await VtpApi.UntilAsync(async () => await one.GetAsync("key", () => "new", "tag") == "new", "the first node to hear");
    }
}
