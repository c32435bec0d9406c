using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Vtp.Infrastructure.Redis;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Redis;

[Collection(Alone.Name)]
public sealed class RedisConnectionTests
{
    [Fact]
    public async Task A_server_that_is_killed_and_started_again_is_found_again()
    {
        await using var redis = await RedisProcess.StartAsync();
        using var connection = await ConnectAsync(("ConnectionStrings:Redis", redis.ConnectionString));
        var restored = 0;
        connection.Restored += (_, _) => Interlocked.Increment(ref restored);
        await VtpApi.UntilAsync(async () => await connection.AskAsync(database => database.StringSetAsync("key", "value"), default) == (true, true), "the first answer");

        await redis.KillAsync();
        await VtpApi.UntilAsync(() => !connection.IsUp, "the loss to be noticed");
        (await AnswersAsync(connection)).Should().BeFalse();

        await redis.StartAgainAsync();
        await VtpApi.UntilAsync(() => connection.IsUp, "the connection to be back");
        restored.Should().BePositive();
        await VtpApi.UntilAsync(async () => await connection.AskAsync(database => database.KeyExistsAsync("key"), default) == (true, false), "the answer that it is empty");
    }

    [Fact]
    public async Task A_server_that_is_absent_at_the_start_is_found_when_it_comes()
    {
        await using var redis = await RedisProcess.StartAsync();
        await redis.KillAsync();
        using var connection = await ConnectAsync(("ConnectionStrings:Redis", redis.ConnectionString));
        (await AnswersAsync(connection)).Should().BeFalse();

        await redis.StartAgainAsync();

        await VtpApi.UntilAsync(() => AnswersAsync(connection), "the connection");
    }

    [Fact]
    public async Task One_caller_waits_for_a_server_that_has_fallen_silent_and_the_others_go_on()
    {
        await using var redis = await RedisProcess.StartAsync();
        using var connection = await ConnectAsync(("ConnectionStrings:Redis", redis.ConnectionString));

        await redis.FreezeAsync();
        (await AnswersAsync(connection)).Should().BeFalse();
        connection.IsUp.Should().BeFalse();
        var asked = 0;
        for (var call = 0; call < 1000; call++)
        {
            _ = await connection.AskAsync(
                database =>
                {
                    asked++;
                    return database.PingAsync();
                },
                default);
        }

        asked.Should().BeLessThan(10);
        await redis.ThawAsync();
        await VtpApi.UntilAsync(() => AnswersAsync(connection), "an answer");
    }

    [Fact]
    public async Task A_server_that_is_full_refuses_and_is_still_asked()
    {
        await using var redis = await RedisProcess.StartAsync("--maxmemory", "1");
        using var connection = await ConnectAsync(("ConnectionStrings:Redis", redis.ConnectionString));

        (await connection.AskAsync(database => database.StringSetAsync("key", "value"), default)).IsAnswered.Should().BeFalse();

        await VtpApi.UntilAsync(() => AnswersAsync(connection), "an answer");
    }

    [Fact]
    public async Task A_url_says_where_and_with_which_password()
    {
        await using var redis = await RedisProcess.StartAsync("--requirepass", "two words&more");
        using var connection = await ConnectAsync(("REDIS_URL", $"redis://:two%20words%26more@127.0.0.1:{redis.Port}/3"));

        (await connection.AskAsync(database => Task.FromResult(database.Database), default)).Should().Be((true, 3));
        await VtpApi.UntilAsync(() => AnswersAsync(connection), "an answer");
    }

    [Fact]
    public async Task Single_settings_say_where_and_with_which_password()
    {
        await using var redis = await RedisProcess.StartAsync("--requirepass", "secret");
        using var connection = await ConnectAsync(
            ("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", $"{redis.Port}"), ("REDIS_PASSWORD", "secret"), ("REDIS_DB", "2"));

        (await connection.AskAsync(database => Task.FromResult(database.Database), default)).Should().Be((true, 2));
        await VtpApi.UntilAsync(() => AnswersAsync(connection), "an answer");
    }

    private static async Task<bool> AnswersAsync(RedisConnection connection) =>
        (await connection.AskAsync(database => database.PingAsync(), default)).IsAnswered;

    private static async Task<RedisConnection> ConnectAsync(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Name, setting.Value)))
            .Build();
        var connection = new RedisConnection(RedisOptions.Read(configuration)!, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        await connection.StartAsync(CancellationToken.None);
        return connection;
    }
}
