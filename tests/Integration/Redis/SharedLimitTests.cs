using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Vtp.Infrastructure.RateLimiting;
using Vtp.Integration.Fixture;
using Vtp.Integration.Http;

namespace Vtp.Integration.Redis;

/// <summary>A node with a budget for strangers of fifty a second, and four seconds of them at once, that all nodes count together in Redis.</summary>
public sealed class SharedApi(RedisProcess redis, VtpApi? first = null) : VtpApi
{
    public const int PerSecond = 50;
    public const int AtOnce = 200;

    protected override bool WithoutLimits => false;

    protected override IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new("ConnectionStrings:Redis", redis.ConnectionString),
        new("TrustedProxies", "127.0.0.1"),
        new("RateLimits:api:Limit", $"{PerSecond}"),
        new("RateLimits:api:Period", "00:00:01"),
        new("RateLimits:api:Burst", $"{AtOnce - 1}"),
        new("RateLimits:refresh:Limit", "1"),
        new("RateLimits:refresh:Period", "01:00:00"),
        new("RateLimits:refresh:Burst", "4"),
    ];

    protected override Task<string> DatabaseAsync() => first is null ? base.DatabaseAsync() : Task.FromResult(first.ConnectionString);
}

[Collection(Alone.Name)]
public sealed class SharedLimitTests : IAsyncLifetime
{
    private RedisProcess _redis = null!;
    private SharedApi[] _nodes = [];

    public async Task InitializeAsync()
    {
        _redis = await RedisProcess.StartAsync();
        var first = new SharedApi(_redis);
        _nodes = [first, new SharedApi(_redis, first), new SharedApi(_redis, first)];
        foreach (var node in _nodes)
        {
            await node.InitializeAsync();
        }

        // The first time takes long: some code has to be compiled for it.
        await DriveAsync(TimeSpan.FromSeconds(1));
        await TogetherAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes.Reverse())
        {
            await node.DisposeAsync();
        }

        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Three_nodes_under_full_load_admit_together_what_one_would()
    {
        var load = await DriveAsync(TimeSpan.FromSeconds(6));

        load.Answers.Keys.Should().BeEquivalentTo([HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests]);
        load.Admitted.Should().BeInRange((int)(load.Allowed * 0.95), (int)(load.Allowed * 1.05));
    }

    [Fact]
    public async Task A_small_budget_is_counted_to_the_request_whichever_node_is_asked()
    {
        var (address, left) = (DoorApi.NewAddress(), new List<int?>());
        for (var turn = 0; turn < 9; turn++)
        {
            var answer = await _nodes[turn % 3].SendAsync(HttpMethod.Post, "auth/refresh", new { refresh_token = "none" }, null, ("X-Forwarded-For", address));
            left.Add(answer.Status == HttpStatusCode.TooManyRequests ? null : ToldLimit.Of(answer).Single(limit => limit.Policy == "refresh").Remaining);
        }

        left.Should().Equal(4, 3, 2, 1, 0, null, null, null, null);
    }

    [Fact]
    public async Task Who_waits_as_long_as_one_node_said_is_heard_by_another()
    {
        var address = DoorApi.NewAddress();
        TimeSpan? wait = null;
        while (wait is null)
        {
            wait = (await _nodes[0].FromAsync(address)).Headers.RetryAfter?.Delta;
        }

        wait.Should().Be(TimeSpan.FromSeconds(1), "the header has whole seconds");
        var told = ToldLimit.Of(await _nodes[1].FromAsync(address)).Single();
        (told.Quota, told.WindowSeconds).Should().Be((SharedApi.PerSecond, 1));
        told.Remaining.Should().BeLessThan(SharedApi.AtOnce / 2, "of what time gave back meanwhile");
        await VtpApi.UntilAsync(async () => (await _nodes[2].FromAsync(address)).Status == HttpStatusCode.Unauthorized, "the budget of Redis's clock");
    }

    [Fact]
    public async Task While_redis_is_killed_and_comes_back_everybody_is_answered_and_nodes_keep_to_their_share()
    {
        await KnownAsync();
        await DisturbedAsync(() => _redis.KillAsync(), () => _redis.StartAgainAsync());
    }

    [Fact]
    public async Task While_redis_is_frozen_and_thaws_everybody_is_answered_and_nodes_keep_to_their_share()
    {
        await KnownAsync();
        await DisturbedAsync(() => _redis.FreezeAsync(), () => _redis.ThawAsync());
    }

    [Fact]
    public async Task Redis_holds_budgets_that_end_and_nobodys_mail_address()
    {
        await _nodes[0].SignInAsync("noor@school.example", "not this one");

        using var redis = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(_redis.ConnectionString);
        var budgets = redis.GetServer(redis.GetEndPoints()[0]).Keys().Select(key => (Name: key.ToString(), Life: redis.GetDatabase().KeyTimeToLive(key))).ToList();

        var guess = budgets.Should().ContainSingle(budget => budget.Name.StartsWith("vtp:{limits}:sign-in:", StringComparison.Ordinal)).Subject;
        guess.Name.Should().NotContain("noor").And.NotContain("@");
        guess.Life.Should().BePositive().And.BeLessThanOrEqualTo(TimeSpan.FromSeconds(12));
        budgets.Where(budget => budget.Name.StartsWith("vtp:{limits}:", StringComparison.Ordinal)).Should().OnlyContain(budget => budget.Life != null || !redis.GetDatabase().KeyExists(budget.Name, StackExchange.Redis.CommandFlags.None), "one may have ended meanwhile");
    }

    private async Task DisturbedAsync(Func<Task> disturb, Func<Task> repair)
    {
        (await DriveAsync(TimeSpan.FromSeconds(1))).Answers.Keys.Should().OnlyContain(status => status == HttpStatusCode.Unauthorized || status == HttpStatusCode.TooManyRequests);

        var disturbed = DriveAsync(TimeSpan.FromSeconds(2));
        await disturb();
        AllAnswered(await disturbed);
        await VtpApi.UntilAsync(() => _nodes.All(node => node.Service<RateLimitMetrics>().IsAlone), "all nodes to count by themselves");

        var alone = await DriveAsync(TimeSpan.FromSeconds(5));
        AllAnswered(alone);
        alone.Admitted.Should().BeInRange((int)(alone.Allowed * 0.7), (int)(alone.Allowed * 1.05), "each has its third");
        _nodes.Should().OnlyContain(node => node.Log.Count(IsShareOfThree) == 1, "it is said once");

        var repaired = DriveAsync(TimeSpan.FromSeconds(3));
        await repair();
        AllAnswered(await repaired);
        await TogetherAsync();
        _nodes.Should().OnlyContain(node => node.Log.Any(line => line.StartsWith("Information Rate limits are counted for all nodes together again", StringComparison.Ordinal)));
        var together = await DriveAsync(TimeSpan.FromSeconds(4));
        together.Admitted.Should().BeInRange((int)(together.Allowed * 0.95), (int)(together.Allowed * 1.05));
    }

    private static void AllAnswered(Load load) =>
        load.Answers.Keys.Should().OnlyContain(status => status == HttpStatusCode.Unauthorized || status == HttpStatusCode.TooManyRequests);

    private static bool IsShareOfThree(string line) =>
        line.StartsWith("Warning Rate limits are counted on this node alone, a share of 1/3", StringComparison.Ordinal);

    /// <summary>Each node has heard of the two others.</summary>
    private Task KnownAsync() =>
        VtpApi.UntilAsync(() => _nodes.All(node => node.Service<KnownNodes>().Count == 3), "the nodes to know of each other");

    private Task TogetherAsync() => VtpApi.UntilAsync(
        async () =>
        {
            await Task.WhenAll(_nodes.Select(node => node.FromAsync(DoorApi.NewAddress())));
            return !_nodes.Any(node => node.Service<RateLimitMetrics>().IsAlone);
        },
        "all nodes to count together");

    /// <summary>One stranger asks all nodes as often as each can answer.</summary>
    private async Task<Load> DriveAsync(TimeSpan time)
    {
        var address = DoorApi.NewAddress();
        var answers = new ConcurrentDictionary<HttpStatusCode, int>();
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(_nodes.SelectMany(node => Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(started) < time)
            {
                answers.AddOrUpdate((await node.FromAsync(address)).Status, 1, (_, count) => count + 1);
            }
        }))));
        return new Load(answers, SharedApi.AtOnce + (SharedApi.PerSecond * Stopwatch.GetElapsedTime(started).TotalSeconds));
    }

    /// <param name="Allowed">What one node with the whole budget admits in the time it took.</param>
    private sealed record Load(IReadOnlyDictionary<HttpStatusCode, int> Answers, double Allowed)
    {
        public int Admitted => Answers.GetValueOrDefault(HttpStatusCode.Unauthorized);
    }
}
