using System.Collections.Concurrent;
using System.Text;
using Npgsql;
using Vtp.Application.Realtime;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Realtime;

/// <summary>What every backplane has to do: two nodes on each, and one node alone on what needs no other.</summary>
public sealed class BackplaneTests(LiveApi api) : IClassFixture<LiveApi>
{
    [Theory]
    [InlineData("memory")]
    [InlineData("postgres")]
    [InlineData("redis")]
    public async Task Every_node_tells_everything_in_one_order(string backplane)
    {
        await using var nodes = await Nodes.StartAsync(api, backplane);
        var followers = nodes.All.Select(node => Follower.On(node)).ToList();
        foreach (var follower in followers)
        {
            (await follower.Session.JoinAsync(new TopicInterest("one"), since: null, default)).Should().BeTrue();
            await follower.Session.JoinAsync(new TopicInterest("two"), since: null, default);
        }

        await Task.WhenAll(nodes.All.SelectMany((node, at) => Enumerable.Range(0, 300).Select(number => Task.Run(() =>
            node.Rooms.PublishAsync(number % 3 == 0 ? "two" : "one", $"{at}.{number}{(number % 50 == 0 ? new string('x', 20_000) : "")}")))));
        var expected = 300 * nodes.All.Count;
        foreach (var follower in followers)
        {
            await VtpApi.UntilAsync(() => follower.Told.Count == expected, $"{expected} messages");
        }

        followers.Select(follower => string.Join(' ', follower.Told.Select(told => told.Mark))).Distinct(StringComparer.Ordinal).Should().ContainSingle();
        followers[0].Told.Select(told => Mark.Parse(told.Mark)!.Messages.Offset).Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();

        // Whoever comes later is told what came behind any of them.
        var middle = Mark.Parse(followers[0].Told.ElementAt(expected / 2).Mark)!.Messages;
        var late = Follower.On(nodes.All[^1]);
        (await late.Session.ResumeAsync([Joined("one", middle), Joined("two", middle)], default)).Should().BeTrue();
        late.Told.Select(told => told.Text).Should().Equal(followers[0].Told.Skip((expected / 2) + 1).Select(told => told.Text));

        // What is not kept is told once on every node, however large, and has no place.
        nodes.All[0].Service<ITopics>().Send(new Publication("one", "moved", Encoding.UTF8.GetBytes("1")));
        nodes.All[0].Service<ITopics>().Send(new Publication("one", "moved", Encoding.UTF8.GetBytes($"\"{new string('y', 10_000)}\"")));
        foreach (var follower in followers)
        {
            await VtpApi.UntilAsync(() => follower.Told.Count(told => told.Mark is null) == 2, "what is not kept");
        }
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("redis")]
    public async Task A_node_that_starts_knows_what_was_said_before(string backplane)
    {
        await using var nodes = await Nodes.StartAsync(api, backplane, count: 1);
        var first = Follower.On(nodes.All[0]);
        await first.Session.JoinAsync(new TopicInterest("early"), since: null, default);
        for (var number = 0; number < 10; number++)
        {
            await nodes.All[0].Rooms.PublishAsync("early", $"{number}");
        }

        var place = Mark.Parse(first.Told.ElementAt(3).Mark)!.Messages;
        var late = Follower.On(await nodes.AddAsync());
        (await late.Session.JoinAsync(new TopicInterest("early"), place, default)).Should().BeTrue();
        late.Told.Select(told => told.Text).Should().Equal(first.Told.Skip(4).Select(told => told.Text));
    }

    [Fact]
    public async Task A_Redis_that_comes_back_empty_is_no_silent_hole()
    {
        await using var nodes = await Nodes.StartAsync(api, "redis");
        var followers = nodes.All.Select(node => Follower.On(node)).ToList();
        foreach (var follower in followers)
        {
            await follower.Session.JoinAsync(new TopicInterest("storm"), since: null, default);
        }

        for (var number = 0; number < 5; number++)
        {
            await nodes.All[0].Rooms.PublishAsync("storm", $"before {number}");
        }

        foreach (var follower in followers)
        {
            await VtpApi.UntilAsync(() => follower.Told.Count == 5, "what was said before");
        }

        var before = Mark.Parse(followers[0].Told.First().Mark)!.Messages;
        await nodes.Redis!.KillAsync();
        var meanwhile = nodes.All[0].Rooms.PublishAsync("storm", "while it was away");
        await nodes.Redis.StartAgainAsync();
        (await meanwhile).TryGet(out _, out var refusal).Should().BeTrue(refusal?.Detail);
        (await nodes.All[1].Rooms.PublishAsync("storm", "after")).TryGet(out _, out _).Should().BeTrue();
        foreach (var follower in followers)
        {
            await VtpApi.UntilAsync(() => !follower.Missing.IsEmpty, "to be told of the gap");
            await VtpApi.UntilAsync(() => follower.Told.Any(told => told.Text == "after"), "what is said now");
        }

        var late = Follower.On(nodes.All[0]);
        (await late.Session.JoinAsync(new TopicInterest("storm"), before, default)).Should().BeFalse();
    }

    [Fact]
    public async Task Connections_to_PostgreSQL_that_break_lose_nothing()
    {
        await using var nodes = await Nodes.StartAsync(api, "postgres");
        var follower = Follower.On(nodes.All[1]);
        await follower.Session.JoinAsync(new TopicInterest("cut"), since: null, default);
        for (var number = 0; number < 60; number++)
        {
            (await nodes.All[0].Rooms.PublishAsync("cut", $"{number}")).TryGet(out _, out var refusal).Should().BeTrue(refusal?.Detail);
            if (number is 20 or 40)
            {
                await using var killer = NpgsqlDataSource.Create(api.ConnectionString);
                await using var kill = killer.CreateCommand("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
                await kill.ExecuteNonQueryAsync();
            }
        }

        await VtpApi.UntilAsync(() => follower.Told.Count >= 60, "all of them");
        follower.Told.Select(told => told.Text).Should().Equal(Enumerable.Range(0, 60).Select(number => $"{number}"));
        follower.Missing.Should().BeEmpty();
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("redis")]
    public async Task Everybody_knows_who_is_there_until_their_node_is_gone(string backplane)
    {
        await using var nodes = await Nodes.StartAsync(api, backplane);
        var (one, other) = (nodes.All[0].Service<IPresence>(), nodes.All[1].Service<IPresence>());
        var changes = new ConcurrentQueue<(string, bool)>();
        other.Changed += (_, change) => changes.Enqueue((change.Member.Id, change.HasEntered));
        one.Enter("room", "a", "{\"name\":\"A\"}"u8.ToArray());
        other.Enter("room", "b", "{}"u8.ToArray());
        await VtpApi.UntilAsync(() => one.Count("room") == 2 && other.Count("room") == 2, "both to be seen on both nodes");
        Encoding.UTF8.GetString(other.List("room").Single(member => member.Id == "a").Data.Span).Should().Be("{\"name\":\"A\"}");
        one.Leave("room", "a");
        await VtpApi.UntilAsync(() => other.Count("room") == 1, "who left to be gone");

        one.Enter("room", "c", "{}"u8.ToArray());
        var late = (await nodes.AddAsync()).Service<IPresence>();
        await VtpApi.UntilAsync(() => late.Count("room") == 2, "a node that starts to know who is there");
        await nodes.All[0].StopAsync();
        await VtpApi.UntilAsync(() => other.Count("room") == 1 && late.Count("room") == 1, "those of a node that stopped to be gone");
        changes.Where(change => change.Item1 != "b").Should().Equal(("a", true), ("a", false), ("c", true), ("c", false));
    }

    private static JoinedTopic Joined(string topic, LogPosition place) => new(new TopicInterest(topic), 1, place, place);

    private sealed class Nodes(LiveApi database, (string, string)[] settings, RedisProcess? redis) : IAsyncDisposable
    {
        public List<LiveApi> All { get; } = [];

        public RedisProcess? Redis { get; } = redis;

        public static async Task<Nodes> StartAsync(LiveApi api, string backplane, int count = 2)
        {
            var redis = backplane == "redis" ? await RedisProcess.StartAsync() : null;
            var nodes = new Nodes(api, redis is null ? [("Realtime:Backplane", backplane)] : [("ConnectionStrings:Redis", redis.ConnectionString)], redis);
            for (var number = 0; number < (backplane == "memory" ? 1 : count); number++)
            {
                await nodes.AddAsync();
            }

            return nodes;
        }

        public async Task<LiveApi> AddAsync()
        {
            All.Add(await LiveApi.BesideAsync(database, settings));
            return All[^1];
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var node in All)
            {
                await ((IAsyncLifetime)node).DisposeAsync();
            }

            await (Redis?.DisposeAsync() ?? default);
        }
    }

    private sealed class Follower : ITopicFollower
    {
        public string Id { get; } = Guid.NewGuid().ToString();

        public ConcurrentQueue<(string Text, string? Mark)> Told { get; } = new();

        public ConcurrentQueue<string> Missing { get; } = new();

        public ITopicSession Session { get; private set; } = null!;

        public static Follower On(LiveApi node)
        {
            var follower = new Follower();
            follower.Session = node.Service<ITopics>().Open(follower);
            return follower;
        }

        public void Deliver(TopicMessage message, Mark? mark) => Told.Enqueue((TextOf(message), mark?.ToString()));

        public void Missed(string topic) => Missing.Enqueue(topic);

        private static string TextOf(TopicMessage message) =>
            System.Text.Json.JsonDocument.Parse(message.Publication.Data).RootElement is { ValueKind: System.Text.Json.JsonValueKind.Object } said
                ? said.GetProperty("text").GetString()!
                : Encoding.UTF8.GetString(message.Publication.Data.Span);
    }
}
