using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Vtp.Application.Tracker.Relay;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Relay;

namespace Vtp.Unit.Tracker;

/// <summary>The relay of one node, without sockets.</summary>
public sealed class RelayHubTests : IDisposable
{
    private static readonly ProjectId Project = new(Guid.CreateVersion7());
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private readonly NpgsqlDataSource _nowhere = NpgsqlDataSource.Create("Host=nowhere.invalid");
    private readonly SteppedClock _clock = new();
    private readonly RelayHub _hub;

    public RelayHubTests() => _hub = Hub(new RelayOptions { MaximumMessageBytes = 64 * 1024, QueueBytes = 64 * 1024, MaximumMemory = 16 << 20 });

    public void Dispose()
    {
        _hub.Dispose();
        _nowhere.Dispose();
    }

    [Fact]
    public async Task A_message_arrives_with_who_sent_it_and_when_and_nothing_else_is_changed()
    {
        var (one, two) = (Join("peer-one"), Join("peer-two"));

        await SayAsync(one, """{"type":"relay_chunk_data","from":"peer-two","to":"peer-two","request_id":"r-1","payload":{"data" : "QU\/JD"},"timestamp":"then"}""");

        var text = await HearAsync(two);
        text.Should().StartWith("""{"from":"peer-one","timestamp":"2026-01-02T03:04:05.0000000Z","type":"relay_chunk_data",""").And.Contain("""{"data" : "QU\/JD"}""");
        JsonNode.Parse(text)!.AsObject().Select(member => member.Key).Should().BeEquivalentTo("from", "timestamp", "type", "to", "request_id", "payload");
    }

    [Fact]
    public async Task To_somebody_who_is_not_there_an_error_comes_back_that_names_the_request()
    {
        var one = Join("peer-one");

        await SayAsync(one, """{"type":"relay_chunk_request","to":"peer-nine","request_id":"r \" 1","payload":{}}""");

        var error = JsonNode.Parse(await HearAsync(one))!.AsObject();
        error["type"]!.GetValue<string>().Should().Be("relay_error");
        error["request_id"]!.GetValue<string>().Should().Be("r \" 1");
        error["payload"]!["code"]!.GetValue<int>().Should().Be(404);
        error.Should().NotContainKey("from").And.NotContainKey("to");
    }

    [Fact]
    public async Task Who_is_in_another_project_is_not_there()
    {
        var other = _hub.Join(Seat("peer-two") with { Project = new ProjectId(Guid.CreateVersion7()) }, Admitted).TryGet(out var link, out _) ? link : throw new InvalidOperationException();
        var one = Join("peer-one");

        await SayAsync(one, """{"type":"relay_chunk_data","to":"peer-two"}""");

        (await HearAsync(one)).Should().Contain("404");
        other.NextAsync().AsTask().IsCompleted.Should().BeFalse();
    }

    [Fact]
    public async Task An_id_without_a_registration_asks_and_does_nothing_else()
    {
        var guest = Join("guest-one", isPeer: false);
        var two = Join("peer-two");

        await SayAsync(guest, """{"type":"relay_chunk_data","to":"peer-two","request_id":"r-1","payload":{}}""");
        await SayAsync(guest, """{"type":"relay_error","to":"peer-two","request_id":"r-2","payload":{}}""");
        await SayAsync(guest, """{"type":"relay_ping","request_id":"r-3"}""");
        await SayAsync(guest, """{"type":"relay_chunk_request","to":"peer-two","request_id":"r-4","payload":{}}""");

        (await HearAsync(guest)).Should().Contain("403").And.Contain("r-1");
        (await HearAsync(guest)).Should().Contain("403").And.Contain("r-2");
        (await HearAsync(guest)).Should().Contain("relay_pong").And.Contain("r-3");
        (await HearAsync(two)).Should().Contain("r-4").And.Contain("\"from\":\"guest-one\"");
    }

    [Fact]
    public async Task What_does_not_fit_waits_on_its_senders_account_and_others_are_reached_meanwhile()
    {
        var (one, slow, quick) = (Join("peer-one"), Join("peer-slow"), Join("peer-quick"));

        // 16 KiB each: four fit the queue of the slow one, four the account of the sender; then it is read no further.
        for (var number = 0; number < 8; number++)
        {
            await SayAsync(one, Chunk("peer-slow", number));
        }

        await SayAsync(one, Chunk("peer-quick", 8));
        (await HearAsync(quick)).Should().Contain("\"request_id\":\"8\"");

        var blocked = SayAsync(one, Chunk("peer-slow", 9));
        blocked.IsCompleted.Should().BeFalse();
        _hub.Memory.Held.Should().BeLessThan(200 * 1024);

        // Whoever takes one lets one in, in the order in which they came.
        for (var number = 0; number < 8; number++)
        {
            (await HearAsync(slow)).Should().Contain($"\"request_id\":\"{number}\"");
        }

        await blocked.WaitAsync(Soon);
        (await HearAsync(slow)).Should().Contain("\"request_id\":\"9\"");
        _hub.Memory.Held.Should().Be(0);
    }

    [Fact]
    public async Task What_has_waited_too_long_is_told_of_and_the_sender_goes_on()
    {
        var (one, slow) = (Join("peer-one"), Join("peer-slow"));
        for (var number = 0; number < 8; number++)
        {
            await SayAsync(one, Chunk("peer-slow", number));
        }

        var blocked = SayAsync(one, Chunk("peer-slow", 8));
        _clock.Advance(TimeSpan.FromSeconds(11));
        slow.Look(_clock.GetTimestamp());

        await blocked.WaitAsync(Soon);
        var told = new List<string> { await HearAsync(one), await HearAsync(one), await HearAsync(one), await HearAsync(one) };
        told.Should().AllSatisfy(error => error.Should().Contain("\"code\":503"));
        told[0].Should().Contain("\"request_id\":\"4\"");
    }

    [Fact]
    public async Task Who_takes_nothing_for_too_long_is_let_go_and_whoever_waits_for_them_is_told()
    {
        var (one, slow) = (Join("peer-one"), Join("peer-slow"));
        var isCut = false;
        slow.Cut = () => isCut = true;
        await SayAsync(one, Chunk("peer-slow", 1));
        await SayAsync(one, Chunk("peer-slow", 2));
        var inHand = await slow.NextAsync();
        slow.Writes();

        _clock.Advance(TimeSpan.FromSeconds(11));
        slow.Look(_clock.GetTimestamp());

        isCut.Should().BeTrue();
        (await slow.Closing.WaitAsync(Soon)).Code.Should().Be(1013);
        slow.Unwritten(inHand!);
        (await HearAsync(one)).Should().Contain("404").And.Contain("\"request_id\":\"2\"");
        (await HearAsync(one)).Should().Contain("404").And.Contain("\"request_id\":\"1\"");
        _hub.Memory.Held.Should().Be(0);
    }

    [Fact]
    public async Task A_message_that_never_ends_ends_the_link()
    {
        var one = Join("peer-one");
        "{\"type\":"u8.CopyTo(one.Room().Span);
        one.Filled(8).Should().BeTrue();

        _clock.Advance(TimeSpan.FromSeconds(61));
        one.Look(_clock.GetTimestamp());

        (await one.Closing.WaitAsync(Soon)).Code.Should().Be(1013);
        one.Drop();
        _hub.Memory.Held.Should().Be(0);
    }

    [Fact]
    public async Task Who_asks_and_never_listens_is_not_read_any_further()
    {
        var one = Join("peer-one");
        var asked = 0;
        for (; asked < 10_000 && SayAsync(one, """{"type":"relay_ping"}""") is { IsCompleted: true }; asked++)
        {
            // Until nobody reads on.
        }

        asked.Should().BeInRange(100, 9_999);
        _hub.Memory.Held.Should().BeLessThan(256 * 1024);
        (await HearAsync(one)).Should().Contain("relay_pong");
    }

    [Fact]
    public async Task A_node_that_is_full_reads_on_when_something_has_gone_out()
    {
        using var hub = Hub(new RelayOptions { MaximumMessageBytes = 64 * 1024, QueueBytes = 64 * 1024, MaximumMemory = 64 * 1024 });
        var (one, two) = (Join(hub, "peer-one"), Join(hub, "peer-two"));
        await SayAsync(one, Chunk("peer-two", 0));

        var blocked = SayAsync(one, Chunk("peer-two", 1));
        blocked.IsCompleted.Should().BeFalse();
        (await HearAsync(two)).Should().Contain("\"request_id\":\"0\"");

        await blocked.WaitAsync(Soon);
        (await HearAsync(two)).Should().Contain("\"request_id\":\"1\"");
    }

    [Fact]
    public async Task A_crowd_that_takes_nothing_leaves_room_for_others()
    {
        using var hub = Hub(new RelayOptions { MaximumMessageBytes = 64 * 1024, QueueBytes = 256 * 1024, MaximumMemory = 4 << 20 });
        for (var pair = 0; pair < 20; pair++)
        {
            var sender = Join(hub, $"sender-{pair}");
            Join(hub, $"receiver-{pair}");
            while (SayAsync(sender, Chunk($"receiver-{pair}", 0)) is { IsCompleted: true })
            {
                // Until nobody reads on.
            }
        }

        hub.Memory.IsFull.Should().BeFalse();
        var (one, two) = (Join(hub, "peer-one"), Join(hub, "peer-two"));
        for (var number = 0; number < 10; number++)
        {
            await SayAsync(one, Chunk("peer-two", number)).WaitAsync(Soon);
            (await HearAsync(two)).Should().Contain($"\"request_id\":\"{number}\"");
        }
    }

    [Fact]
    public async Task The_registered_peer_takes_the_place_of_whoever_has_its_id_and_nobody_else_does()
    {
        var guest = Join("peer-one", isPeer: false);
        var sameGuest = Join("peer-one", isPeer: false);
        (await guest.Closing.WaitAsync(Soon)).Code.Should().Be(4001);

        var elsewhere = Seat("peer-one") with { IsPeer = false, Address = IPAddress.Parse("192.0.2.9") };
        _hub.Join(elsewhere, Admitted).TryGet(out _, out var refusal).Should().BeFalse();
        refusal!.Code.Should().Be("relay.taken");

        var peer = Join("peer-one");
        (await sameGuest.Closing.WaitAsync(Soon)).Code.Should().Be(4001);
        _hub.Join(Seat("peer-one") with { IsPeer = false }, Admitted).TryGet(out _, out _).Should().BeFalse();

        var again = Join("peer-one");
        (await peer.Closing.WaitAsync(Soon)).Code.Should().Be(4001);
        again.Closing.IsCompleted.Should().BeFalse();
        _hub.Count(Project).Should().Be(1);
    }

    [Fact]
    public async Task When_the_server_goes_what_waits_is_sent_first_and_nobody_joins_any_more()
    {
        var (one, two) = (Join("peer-one"), Join("peer-two"));
        await SayAsync(one, Chunk("peer-two", 1));

        _hub.Stop();

        (await two.Closing.WaitAsync(Soon)).Code.Should().Be(1001);
        (await HearAsync(two)).Should().Contain("\"request_id\":\"1\"");
        (await two.NextAsync()).Should().BeNull();
        _hub.Join(Seat("peer-three"), Admitted).TryGet(out _, out var refusal).Should().BeFalse();
        refusal!.Code.Should().Be("relay.going_away");
    }

    [Fact]
    public async Task Five_messages_that_are_no_envelopes_end_the_link()
    {
        var one = Join("peer-one");
        for (var number = 0; number < 5; number++)
        {
            one.Closing.IsCompleted.Should().BeFalse();
            await SayAsync(one, "not an envelope");
        }

        (await one.Closing.WaitAsync(Soon)).Code.Should().Be(1008);
    }

    [Fact]
    public async Task Bytes_that_are_not_utf8_are_refused_where_nobody_has_looked_before()
    {
        var (one, two) = (Join("peer-one"), Join("peer-two"));
        byte[] text = [.. "{\"type\":\"relay_chunk_data\",\"to\":\"peer-two\",\"payload\":\""u8, 0xff, .. "\"}"u8];

        await SayAsync(one, text, isUtf8: false);

        (await HearAsync(one)).Should().Contain("\"code\":400");
        two.NextAsync().AsTask().IsCompleted.Should().BeFalse();
    }

    private static string Chunk(string to, int number) =>
        $$$"""{"type":"relay_chunk_data","to":"{{{to}}}","request_id":"{{{number}}}","payload":{"data":"{{{new string('A', 15_000)}}}"}}""";

    private static RelaySeat Seat(string peerId, bool isPeer = true) => new(Project, peerId, isPeer, Credential: null, IPAddress.Loopback);

    private static ValueTask<RelaySeat?> Admitted(RelaySeat seat, CancellationToken cancellationToken) => new(seat);

    private static async Task SayAsync(RelayLink link, string text) => await SayAsync(link, Encoding.UTF8.GetBytes(text), isUtf8: true);

    private static async Task SayAsync(RelayLink link, ReadOnlyMemory<byte> text, bool isUtf8)
    {
        while (!text.IsEmpty)
        {
            var room = link.Room();
            var some = Math.Min(Math.Min(room.Length, 4096), text.Length);
            text[..some].CopyTo(room);
            link.Filled(some).Should().BeTrue();
            text = text[some..];
        }

        await link.EndMessageAsync(isUtf8, CancellationToken.None);
    }

    private static async Task<string> HearAsync(RelayLink link)
    {
        var message = await link.NextAsync().AsTask().WaitAsync(Soon);
        var text = Encoding.UTF8.GetString(message!.Text.Span);
        link.Written(message);
        return text;
    }

    private static RelayLink Join(RelayHub hub, string peerId, bool isPeer = true) =>
        hub.Join(Seat(peerId, isPeer), Admitted).TryGet(out var link, out var refusal) ? link : throw new InvalidOperationException(refusal.Code);

    private RelayLink Join(string peerId, bool isPeer = true) => Join(_hub, peerId, isPeer);

    private RelayHub Hub(RelayOptions options)
    {
        var nodes = new RelayNodes(_nowhere, NullLogger<RelayNodes>.Instance);
        var mesh = new RelayMesh(nodes, [], Options.Create(options), _clock, NullLogger<RelayMesh>.Instance);
        return new RelayHub(mesh, Options.Create(options), _clock, NullLogger<RelayHub>.Instance);
    }

    private sealed class SteppedClock : TimeProvider
    {
        private TimeSpan _time;

        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero) + _time;

        public override long GetTimestamp() => 1 + (long)(_time.TotalSeconds * TimestampFrequency);

        public void Advance(TimeSpan time) => _time += time;
    }
}
