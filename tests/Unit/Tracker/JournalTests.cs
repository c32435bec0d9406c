using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Vtp.Application.Tracker;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;
using Vtp.Infrastructure.Tracker;

namespace Vtp.Unit.Tracker;

/// <summary>What changes do together, decided one after the other, before and after they are written. Time passes by hand.</summary>
public sealed class JournalTests
{
    private static readonly OrganizationId Organization = new(Guid.NewGuid());
    private static readonly ProjectId Project = new(Guid.NewGuid());
    private static readonly Guid Key = Guid.NewGuid();
    private readonly Memory _memory = new(NullLogger<Memory>.Instance);
    private readonly List<string> _told = [];
    private DateTimeOffset _now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    public JournalTests() => _memory.Watch(change => _told.Add(change.GetType().Name));

    private Swarm Swarm => _memory.Of(Organization, Project);

    [Fact]
    public async Task Nothing_shows_before_it_is_written()
    {
        var register = Register("peer-one");
        var batch = Plan(register);

        Swarm.Peers.Should().BeEmpty();
        register.Done.IsCompleted.Should().BeFalse();

        batch.Apply();
        register.Complete();
        (await register.Done).TryGet(out var listed, out _).Should().BeTrue();
        (listed!.PeerId, listed.IsOnline).Should().Be(("peer-one", true));
        (_memory.Version, _memory.LastId, Swarm.Counts).Should().Be((1, 1, new TrackerCounts(1, 1, 0)));
        _told.Should().Equal("PeerJoined");
    }

    [Fact]
    public async Task Changes_of_one_batch_see_each_other()
    {
        var (register, announce, again, leave, late) = (Register("peer-one"), Announce("peer-one", "a"), Announce("peer-one", "a"), Leave("peer-one"), Announce("peer-one", "b"));

        Write(register, announce, again, leave, late);

        (await announce.Done).Refusal.Should().BeNull();
        (await again.Done).Refusal.Should().BeNull();
        (await late.Done).Refusal!.Code.Should().Be("peer.not_registered");
        Swarm.Counts.Should().Be(new TrackerCounts(0, 0, 1));
        Swarm.Files.Values.Single().Seeders.Should().Be(0);
    }

    [Fact]
    public async Task Of_two_contents_in_one_batch_the_first_stands()
    {
        Write(Register("peer-one"));
        var (file, poison) = (Announce("peer-one", "a", content: "good"), Announce("peer-one", "a", content: "poison"));

        Write(file, poison);

        (await file.Done).Refusal.Should().BeNull();
        (await poison.Done).Refusal!.Code.Should().Be("file.content_differs");
    }

    [Fact]
    public void A_batch_that_is_decided_anew_does_the_same_once()
    {
        Change[] changes = [Register("peer-one"), Announce("peer-one", "a")];
        Plan(changes);

        Write(changes);

        Swarm.Counts.Should().Be(new TrackerCounts(1, 1, 1));
        _told.Should().Equal("FileAdded", "PeerJoined");
    }

    [Fact]
    public void What_changes_nothing_writes_nothing()
    {
        Write(Register("peer-one"), Announce("peer-one", "a"));

        Plan(Register("peer-one"), Announce("peer-one", "a"), Heartbeat("peer-one", "a"), Heartbeat("stranger"), Leave("stranger")).IsEmpty.Should().BeTrue();
        Plan(Register("peer-one", port: 2)).IsEmpty.Should().BeFalse();
    }

    [Fact]
    public void A_peer_that_is_registered_anew_in_the_batch_that_forgets_it_begins_without_files()
    {
        Write(Register("peer-one"), Announce("peer-one", "a"));

        Write(Leave("peer-one"), Register("peer-one"));

        Swarm.Counts.Should().Be(new TrackerCounts(1, 1, 1));
        Swarm.Files.Values.Single().Seeders.Should().Be(0);
        Swarm.Peers["peer-one"].FilesShared.Should().Be(0);
    }

    [Fact]
    public void A_file_that_is_announced_anew_in_the_batch_that_forgets_it_is_another_one()
    {
        Write(Register("peer-one"), Register("peer-two"), Announce("peer-one", "a"), Announce("peer-two", "a"));
        var before = Swarm.Files.Values.Single();

        Write(new RemoveFileChange(Swarm, Call(""), HashOf("a")), Announce("peer-two", "a", content: "other"));

        Swarm.Files.Values.Should().ContainSingle().Which.Should().NotBe(before);
        Swarm.Files.Values.Single().Seeders.Should().Be(1);
        Swarm.Peers["peer-one"].FilesShared.Should().Be(0);
    }

    [Fact]
    public void Silence_takes_a_peer_offline_then_away_and_a_heartbeat_brings_it_back()
    {
        Write(Register("peer-one"), Announce("peer-one", "a"));
        var (peer, file) = (Swarm.Peers["peer-one"], Swarm.Files.Values.Single());

        Pass(Liveness.OfflineAfter);
        Sweep(peer);
        Swarm.Counts.Should().Be(new TrackerCounts(1, 1, 1), "it may be silent for so long");

        Pass(TimeSpan.FromSeconds(1));
        Sweep(peer);
        (Swarm.Counts, file.Seeders, peer.FilesShared).Should().Be((new TrackerCounts(0, 1, 1), 0, 1));

        Write(Heartbeat("peer-one"));
        (Swarm.Counts, file.Seeders).Should().Be((new TrackerCounts(1, 1, 1), 1));

        peer.Touch(_now, origin: null);
        Pass(Liveness.RemovedAfter + TimeSpan.FromSeconds(1));
        Sweep(peer);
        (Swarm.Counts, peer.FilesShared).Should().Be((new TrackerCounts(0, 0, 1), 0));

        Write(Heartbeat("peer-one", "a", "unknown"));
        (Swarm.Counts, file.Seeders).Should().Be((new TrackerCounts(1, 1, 1), 1));
        _told.Should().Equal("FileAdded", "PeerJoined", "PeerLeft", "PeerJoined", "PeerLeft", "PeerJoined");
    }

    [Fact]
    public void A_sweep_spares_whoever_was_heard_of_meanwhile()
    {
        Write(Register("peer-one"));
        var peer = Swarm.Peers["peer-one"];
        Pass(TimeSpan.FromMinutes(2));
        var sweep = new SweepChange([peer], []);
        peer.Touch(_now, origin: null);

        Plan(sweep).IsEmpty.Should().BeTrue();
    }

    [Fact]
    public void A_name_is_remembered_for_seven_days_and_a_file_for_seven_without_a_seeder()
    {
        Write(Register("peer-one"), Announce("peer-one", "a"));
        var (peer, file) = (Swarm.Peers["peer-one"], Swarm.Files.Values.Single());
        Pass(Liveness.RemovedAfter + TimeSpan.FromSeconds(1));
        Sweep(peer);

        Pass(Liveness.RememberedFor);
        Write(new SweepChange([peer], [file]));
        (Swarm.PeersKnown, Swarm.FilesKnown).Should().Be((1, 1));

        Pass(TimeSpan.FromSeconds(1));
        Write(new SweepChange([peer], [file]));
        (Swarm.PeersKnown, Swarm.FilesKnown).Should().Be((0, 0));
    }

    [Fact]
    public async Task A_project_has_so_many_peers_and_files_and_no_more()
    {
        var (one, other) = (new RegisterChange(Swarm, Call("peer-one"), At(1), mostPeers: 1), new RegisterChange(Swarm, Call("peer-two"), At(1), mostPeers: 1));
        Write(one, other);
        (await other.Done).Refusal!.Code.Should().Be("tracker.too_many_peers");

        var (file, more) = (Announce("peer-one", "a", most: 1), Announce("peer-one", "b", most: 1));
        Write(file, more);
        (await more.Done).Refusal!.Code.Should().Be("tracker.too_many_files");
    }

    [Theory]
    [InlineData(TrackerRole.Admin, true)]
    [InlineData(TrackerRole.Peer, false)]
    [InlineData(TrackerRole.Guest, false)]
    public void Only_an_administrator_speaks_for_the_peer_of_another_credential(TrackerRole role, bool may) =>
        (Call("peer-one").Caller with { Role = role, Credential = Guid.NewGuid() }).SpeaksFor(Key, "peer-one").Should().Be(may);

    [Fact]
    public void A_token_speaks_for_its_peer_and_for_what_its_key_registered_under_that_name()
    {
        var token = new TrackerCredential(Key, null, null, Organization, Project, TrackerRole.Peer, 365).ForPeer("peer-one");

        token.Caller.SpeaksFor(token.Id, "peer-one").Should().BeTrue();
        token.Caller.SpeaksFor(Key, "peer-one").Should().BeTrue();
        token.Caller.SpeaksFor(Key, "peer-two").Should().BeFalse();
        token.Caller.SpeaksFor(Guid.NewGuid(), "peer-one").Should().BeFalse();
    }

    private static PeerCall Call(string peer) =>
        new(new TrackerCaller(Organization, Project, TrackerRole.Peer, Key, Key: null, PeerId: null, 365), peer, IPAddress.Loopback);

    private static Registration At(int port) => new(null, IPAddress.Parse("192.0.2.1"), port);

    private static ContentHash HashOf(string text) => ContentHash.Of(System.Text.Encoding.UTF8.GetBytes(text));

    private RegisterChange Register(string peer, int port = 1) => new(Swarm, Call(peer), At(port), mostPeers: 100);

    private LeaveChange Leave(string peer) => new(Swarm, Call(peer), PeerLeaving.Left);

    private HeartbeatChange Heartbeat(string peer, params string[] files) => new(Swarm, Call(peer), [.. files.Select(HashOf)]);

    private AnnounceChange Announce(string peer, string file, string content = "content", int most = 100)
    {
        FileManifest.Of(HashOf(file).ToString(), $"{file}.mp4", 10, 10, [new AnnouncedChunk(0, HashOf(content), 10)], null).TryGet(out var manifest, out _).Should().BeTrue();
        return new AnnounceChange(Swarm, Call(peer), manifest!, most);
    }

    private void Pass(TimeSpan time) => _now += time;

    private void Sweep(Peer peer) => Write(new SweepChange([peer], []));

    private Batch Plan(params Change[] changes)
    {
        var batch = new Batch(_memory, _now);
        foreach (var change in changes)
        {
            change.Plan(batch);
        }

        return batch;
    }

    private void Write(params Change[] changes)
    {
        Plan(changes).Apply();
        foreach (var change in changes)
        {
            change.Complete();
        }
    }
}
