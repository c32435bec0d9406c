using System.Net;
using Vtp.Infrastructure.Tracker;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tracker;

/// <summary>Alone with its clock: peers fall silent and come back, files outlive their seeders for seven days.</summary>
public sealed class TimeTests(TrackerApi api) : IClassFixture<TrackerApi>
{
    [Fact]
    public async Task A_silent_peer_is_offline_then_removed_and_its_heartbeat_brings_it_back_with_its_files()
    {
        var (file, unknown) = (TestFile.New(), TestFile.New());
        var (silent, loud) = (await TestPeer.New(api).RegisteredAsync(), await TestPeer.New(api).RegisteredAsync());
        await silent.SharesAsync(file);
        await BesideAsync(loud, TimeSpan.FromSeconds(60));
        (await loud.HoldersOfAsync(file)).Should().Equal(silent.Id);

        await BesideAsync(loud, TimeSpan.FromSeconds(31));
        await VtpApi.UntilAsync(async () => (await loud.HoldersOfAsync(file)).Length == 0, "the silent one to be offline");
        (await IsListedAsync(silent)).Should().BeTrue();
        (await silent.HeartbeatAsync())["registered"].Should().Be("True");
        (await loud.HoldersOfAsync(file)).Should().Equal(silent.Id);

        foreach (var _ in Enumerable.Range(0, 6))
        {
            await BesideAsync(loud, TimeSpan.FromSeconds(60));
        }

        await VtpApi.UntilAsync(async () => !await IsListedAsync(silent), "the silent one to be removed");
        (await IsListedAsync(loud)).Should().BeTrue("it was heard of all the time");
        (await api.QueryAsync<long>("SELECT count(*) FROM tracker_members JOIN tracker_peers ON id = peer WHERE peer_id = $1", silent.Id)).Should().Be(0);

        (await (silent with { Key = TrackerApi.OtherPeerKey }).RegisterAsync()).ShouldBeProblem(HttpStatusCode.Forbidden, "peer.not_yours");
        (await silent.HeartbeatAsync(file, unknown))["registered"].Should().Be("True");
        (await loud.HoldersOfAsync(file)).Should().Equal(silent.Id);
        (await api.EventsAsync(silent.Id, 5)).Should().Equal(
            "tracker.peer_joined", "tracker.peer_left", "tracker.peer_joined", "tracker.peer_left", "tracker.peer_joined");
        (await api.QueryAsync<string>("SELECT data ->> 'reason' FROM events WHERE subject = $1 AND type = 'tracker.peer_left' LIMIT 1", silent.Id)).Should().Be("timed_out");
    }

    [Fact]
    public async Task A_file_is_known_for_seven_days_after_its_last_seeder_left()
    {
        var file = TestFile.New();
        var seeder = await (await TestPeer.New(api).RegisteredAsync()).SharesAsync(file);
        await seeder.LeaveAsync();

        api.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1));
        var known = await api.ReadAsync($"files/{file.Hash}/peers");
        known.Body.GetProperty("peers").GetRawText().Should().Be("[]");

        api.Clock.Advance(TimeSpan.FromMinutes(2));
        await VtpApi.UntilAsync(async () => (await api.ReadAsync($"files/{file.Hash}/peers")).Status == HttpStatusCode.NotFound, "the file to be forgotten");
        (await api.EventsAsync(file.Hash, 2)).Should().Equal("tracker.file_added", "tracker.file_removed");
        await (await TestPeer.New(api).RegisteredAsync()).SharesAsync(file with { ChunkSize = 600_000, Chunks = [file.Chunks[0]] });
    }

    [Fact]
    public async Task What_was_forgotten_a_week_ago_is_cleared()
    {
        var file = TestFile.New();
        var seeder = await (await TestPeer.New(api).RegisteredAsync()).SharesAsync(file);
        await api.RemoveAsync($"admin/files/{file.Hash}");
        await seeder.LeaveAsync();
        (await api.QueryAsync<long>("SELECT count(*) FROM tracker_peers WHERE peer_id = $1", seeder.Id)).Should().Be(1);

        api.Clock.Advance(TimeSpan.FromDays(8));

        await VtpApi.UntilAsync(
            async () => await api.QueryAsync<long>("SELECT (SELECT count(*) FROM tracker_peers WHERE peer_id = $1) + (SELECT count(*) FROM tracker_files WHERE encode(hash, 'hex') = $2)", seeder.Id, file.Hash) == 0,
            "its rows to be cleared");
    }

    [Fact]
    public void A_peer_that_is_heard_of_is_never_due() =>
        SweepChange.IsDue(new PeerFacts(null, null, IPAddress.Loopback, 1, default, IsOnline: true, 0, 0, null), api.Clock.GetUtcNow(), api.Clock.GetUtcNow()).Should().BeFalse();

    /// <summary>Time passes, and this one lives.</summary>
    private async Task BesideAsync(TestPeer loud, TimeSpan time)
    {
        api.Clock.Advance(time);
        (await loud.HeartbeatAsync())["registered"].Should().Be("True");
    }

    private async Task<bool> IsListedAsync(TestPeer peer) =>
        (await api.ReadAsync("admin/peers", TrackerApi.AdminKey)).Body.GetProperty("peers").EnumerateArray().Any(one => one.GetProperty("id").GetString() == peer.Id);
}
