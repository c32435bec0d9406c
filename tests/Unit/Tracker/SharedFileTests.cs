using System.Net;
using Vtp.Application.Tracker;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Tracker;
using Vtp.Unit.Common;

namespace Vtp.Unit.Tracker;

public sealed class SharedFileTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Swarm _swarm = new(OrganizationId.New(Now), ProjectId.New(Now));
    private readonly TestClock _clock = new();
    private readonly SharedFile _file;

    public SharedFileTests() => _file = new SharedFile(
        1, _swarm, default, "lesson.mp4", 262_144, 262_144, 1, default, merkleRoot: null, "somebody", Now, Now);

    [Fact]
    public void A_few_who_ask_are_told_the_same_of_a_crowd_that_asks_at_once_more_and_then_others_are()
    {
        Join(count: 1000);

        var samples = Enumerable.Range(0, 80).Select(_ => Later()).ToList();

        samples.Distinct().Should().HaveCount(10);
        Enumerable.Range(0, 500).Select(_ => _file.Sample(50, _clock)).Distinct().Should().HaveCount(10);
        samples.SelectMany(sample => sample.Peers).Distinct().Count().Should().BeGreaterThan(300);
        _file.Sample(7, _clock).Peers.Should().HaveCount(7);
    }

    [Fact]
    public void Who_comes_goes_or_moves_is_told_so_at_once()
    {
        var peers = Join(count: 2);
        Told().Should().BeEquivalentTo("peer-0 10.0.0.1", "peer-1 10.0.0.1");

        var third = Join(from: 2, count: 1)[0];
        Told().Should().BeEquivalentTo("peer-0 10.0.0.1", "peer-1 10.0.0.1", "peer-2 10.0.0.1");

        peers[0].CloseAll(Now);
        Told().Should().BeEquivalentTo("peer-1 10.0.0.1", "peer-2 10.0.0.1");

        third.Replace(third.Facts with { Address = IPAddress.Parse("10.0.0.9") });
        Told().Should().BeEquivalentTo("peer-1 10.0.0.1", "peer-2 10.0.0.9");
    }

    [Fact]
    public void What_a_peer_gave_and_took_changes_nothing_for_those_who_ask()
    {
        var peer = Join(count: 1)[0];
        var told = _file.Sample(50, _clock);

        peer.Replace(peer.Facts with { Uploaded = 5 });

        _file.Sample(50, _clock).Should().BeSameAs(told);
    }

    private HolderSample Later()
    {
        _clock.Advance(TimeSpan.FromMilliseconds(5));
        return _file.Sample(50, _clock);
    }

    private List<Peer> Join(int count, int from = 0)
    {
        var facts = new PeerFacts("h", Credential: null, IPAddress.Parse("10.0.0.1"), 4000, Now, IsOnline: true, 0, 0, RemovedAt: null);
        List<Peer> peers = [.. Enumerable.Range(from, count).Select(index => new Peer(index, _swarm, $"peer-{index}", facts, facts.Address, Now))];
        peers.ForEach(peer => peer.Sit(_file));
        return peers;
    }

    private IEnumerable<string> Told() => _file.Sample(50, _clock).Peers.Select(peer =>
    {
        using var json = System.Text.Json.JsonDocument.Parse(System.Text.Encoding.UTF8.GetString(peer.OpenObject) + "}");
        return $"{peer.PeerId} {json.RootElement.GetProperty("ip").GetString()}";
    });
}
