using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Vtp.Infrastructure.Relay;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Tracker;

public sealed class RelayTests(RelayNode api) : IClassFixture<RelayNode>
{
    [Fact]
    public async Task A_download_without_a_registration_gets_a_chunk_from_a_peer_that_sends_it_in_86_frames()
    {
        var seederId = RelayNode.NewId("seeder");
        await using var seeder = await api.PeerAsync(seederId);
        await using var download = await api.ConnectAsync(RelayNode.NewId("download"));
        var chunk = RandomNumberGenerator.GetBytes(262_144);

        await download.AskAsync(seederId, "r-1");
        var asked = (await seeder.HearAsync())!;
        asked["request_id"]!.GetValue<string>().Should().Be("r-1");
        var answer = new JsonObject
        {
            ["type"] = "relay_chunk_data",
            ["to"] = asked["from"]!.GetValue<string>(),
            ["request_id"] = "r-1",
            ["payload"] = new JsonObject { ["file_hash"] = new string('a', 64), ["chunk_index"] = 0, ["data"] = Convert.ToBase64String(chunk), ["hash"] = Convert.ToHexStringLower(SHA256.HashData(chunk)) },
            ["timestamp"] = "2026-01-02T03:04:05.123456789Z",
        };
        var text = Encoding.UTF8.GetBytes(answer.ToJsonString(System.Text.Json.JsonSerializerOptions.Web));
        await seeder.SendAsync(text, frame: 4096);

        var got = (await download.HearAsync())!;
        got["from"]!.GetValue<string>().Should().Be(seederId);
        Convert.FromBase64String(got["payload"]!["data"]!.GetValue<string>()).Should().Equal(chunk);
        DateTimeOffset.Parse(got["timestamp"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture).Should().BeCloseTo(api.Clock.GetUtcNow(), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_binary_message_is_taken_for_what_it_says_and_goes_on_as_text()
    {
        var id = RelayNode.NewId();
        await using var receiver = await api.PeerAsync(id);
        await using var sender = await api.PeerAsync();

        await sender.SendAsync(Encoding.UTF8.GetBytes($$"""{"type":"anything","to":"{{id}}","payload":1}"""), type: WebSocketMessageType.Binary);

        (await receiver.HearAsync())!["type"]!.GetValue<string>().Should().Be("anything");
    }

    [Fact]
    public async Task Pings_are_answered_here_and_absent_targets_are_told_of()
    {
        await using var peer = await api.PeerAsync();
        for (var number = 0; number < 2000; number++)
        {
            await peer.SendAsync($$"""{"type":"relay_ping","request_id":"{{number}}"}""");
        }

        for (var number = 0; number < 2000; number++)
        {
            (await peer.HearAsync())!["request_id"]!.GetValue<string>().Should().Be($"{number}");
        }

        await peer.AskAsync("nobody-at-all", "r-2");
        var error = (await peer.HearAsync())!;
        error["type"]!.GetValue<string>().Should().Be("relay_error");
        error["payload"]!["code"]!.GetValue<int>().Should().Be(404);
        error["request_id"]!.GetValue<string>().Should().Be("r-2");
    }

    [Fact]
    public async Task A_message_over_the_limit_closes_the_link_and_one_at_it_passes()
    {
        var id = RelayNode.NewId();
        await using var receiver = await api.PeerAsync(id);
        await using var sender = await api.PeerAsync();
        await sender.SendAsync(Sized(id, 1024 * 1024), frame: 4096);
        (await receiver.HearAsync())!["payload"]!.GetValue<string>().Length.Should().BeGreaterThan(1_000_000);

        await sender.SendAsync(Sized(id, (1024 * 1024) + 1), frame: 100_000);

        (await sender.ClosedAsync()).Should().Be(1009);
    }

    [Fact]
    public async Task An_id_is_its_owners_and_no_others()
    {
        var (mine, farAway) = (RelayNode.NewId(), RelayNode.NewId());
        api.Register(mine);
        api.Register(farAway, origin: "192.0.2.7");

        await RefusedAsync($"/relay?peer_id={mine}", HttpStatusCode.Forbidden, RelayNode.OtherPublicKey);
        await RefusedAsync($"/relay?peer_id={farAway}", HttpStatusCode.Forbidden);
        await RefusedAsync($"/relay?peer_id={farAway}&api_key={RelayNode.OtherPublicKey}", HttpStatusCode.Forbidden);
        await RefusedAsync($"/relay?peer_id={mine}", HttpStatusCode.Unauthorized, "no-key-of-ours");
        await RefusedAsync("/relay", HttpStatusCode.BadRequest);
        await RefusedAsync("/relay?peer_id=../../etc", HttpStatusCode.BadRequest);

        await using var byQuery = await RelayClient.ConnectAsync(api, $"/relay?peer_id={farAway}&api_key={RelayNode.PublicKey}");
        await using var byHeader = await api.ConnectAsync(farAway, RelayNode.PublicKey);
        (await byQuery.ClosedAsync()).Should().Be(4001, "its owner has connected anew");

        // What it says of itself counts for nothing.
        await using var receiver = await api.PeerAsync(RelayNode.NewId());
        await byHeader.SendAsync($$"""{"type":"relay_chunk_data","from":"{{mine}}","to":"{{farAway}}","request_id":"r"}""");
        (await byHeader.HearAsync())!["from"]!.GetValue<string>().Should().Be(farAway);
    }

    [Fact]
    public async Task A_token_speaks_for_its_own_peer_only()
    {
        var id = RelayNode.NewId();
        api.Register(id, origin: "192.0.2.7");
        var token = api.Service<Application.Tracker.ITrackerKeys>().IssueToken(RelayNode.PublicKey, id).Text;

        await using (var peer = await RelayClient.ConnectAsync(api, $"/relay?peer_id={id}", headers: ("Authorization", $"Bearer {token}")))
        {
            await peer.SendAsync($$"""{"type":"relay_chunk_data","to":"{{id}}","request_id":"r"}""");
            (await peer.HearAsync())!["from"]!.GetValue<string>().Should().Be(id);
        }

        var other = () => RelayClient.ConnectAsync(api, $"/relay?peer_id={RelayNode.NewId()}", headers: ("Authorization", $"Bearer {token}"));
        (await other.Should().ThrowAsync<HandshakeRefused>()).Which.Status.Should().Be(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_page_of_another_site_may_not_connect()
    {
        var id = RelayNode.NewId();
        api.Register(id);
        var elsewhere = () => RelayClient.ConnectAsync(api, $"/relay?peer_id={id}", headers: ("Origin", "https://elsewhere.example"));
        (await elsewhere.Should().ThrowAsync<HandshakeRefused>()).Which.Status.Should().Be(HttpStatusCode.Forbidden);
        var feed = () => RelayClient.ConnectAsync(api, "/ws", headers: ("Origin", "https://elsewhere.example"));
        (await feed.Should().ThrowAsync<HandshakeRefused>()).Which.Status.Should().Be(HttpStatusCode.Forbidden);

        await using var own = await RelayClient.ConnectAsync(api, $"/relay?peer_id={id}", headers: ("Origin", api.Url.GetLeftPart(UriPartial.Authority)));
        (await api.GetAsync($"/relay?peer_id={id}")).Error.Should().Be("socket.upgrade_required");
    }

    [Fact]
    public async Task An_id_without_a_registration_may_ask_and_nothing_else_until_it_registers()
    {
        var (id, seederId) = (RelayNode.NewId(), RelayNode.NewId());
        await using var seeder = await api.PeerAsync(seederId);
        await using var guest = await api.ConnectAsync(id);
        await guest.SendAsync($$$"""{"type":"relay_chunk_data","to":"{{{seederId}}}","request_id":"r-1","payload":{}}""");
        (await guest.HearAsync())!["payload"]!["code"]!.GetValue<int>().Should().Be(403);

        api.Register(id);
        await VtpApi.UntilAsync(
            async () =>
            {
                await guest.SendAsync($$$"""{"type":"relay_chunk_data","to":"{{{id}}}","request_id":"r-2","payload":{}}""");
                return (await guest.HearAsync())!["type"]!.GetValue<string>() == "relay_chunk_data";
            },
            "the registration to count");
    }

    [Fact]
    public async Task Who_is_removed_or_whose_id_somebody_else_registers_is_out()
    {
        var (id, guestId) = (RelayNode.NewId(), RelayNode.NewId());
        var registered = api.Register(id);
        await using var peer = await api.ConnectAsync(id, RelayNode.PublicKey);
        await using var keyless = await api.PeerAsync(RelayNode.NewId());
        await using var guest = await api.ConnectAsync(guestId);

        api.Register(id, RelayNode.OtherPublicKey);
        (await peer.ClosedAsync()).Should().Be(4003);

        api.Register(guestId, origin: "192.0.2.8");
        (await guest.ClosedAsync()).Should().Be(4003);
        api.Peers.Remove(registered);
    }

    [Fact]
    public async Task A_revoked_key_ends_the_links_that_it_opened()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var key = await school.Owner.PostAsync($"{project.Path}/keys", new { name = "Peers", scopes = new[] { "*" }, role = "peer" });
        key.Status.Should().Be(HttpStatusCode.Created, key.Text);
        await using var link = await api.ConnectAsync(RelayNode.NewId(), key["key"]);
        await using var feed = await RelayClient.ConnectAsync(api, "/ws", key["key"]);

        (await school.Owner.DeleteAsync($"{project.Path}/keys/{key.Body.GetProperty("api_key").GetProperty("id")}")).Status.Should().Be(HttpStatusCode.NoContent);

        (await link.ClosedAsync()).Should().Be(4003);
        (await feed.ClosedAsync()).Should().Be(4003);
    }

    [Fact]
    public async Task Peers_of_another_project_are_neither_reached_nor_listed()
    {
        var ours = RelayNode.NewId();
        await using var peer = await api.PeerAsync(ours);
        var project = await (await api.FoundSchoolAsync()).CreateProjectAsync();
        await using var stranger = await api.ConnectAsync(RelayNode.NewId(), project.Secret);

        await stranger.AskAsync(ours, "r-1");
        (await stranger.HearAsync())!["payload"]!["code"]!.GetValue<int>().Should().Be(404);

        var (list, theirs) = (await api.GetWithKeyAsync("/api/relay/peers", RelayNode.PublicKey), await api.GetWithKeyAsync("/api/relay/peers", project.Secret));
        list.Status.Should().Be(HttpStatusCode.OK, list.Text);
        list.Body.GetProperty("peers").EnumerateArray().Select(id => id.GetString()).Should().Contain(ours);
        list.Body.GetProperty("count").GetInt32().Should().Be(list.Body.GetProperty("peers").GetArrayLength());
        theirs.Body.GetProperty("count").GetInt32().Should().Be(1);
    }

    [Fact]
    public async Task A_stalled_receiver_costs_a_bounded_amount_of_memory_and_its_senders_hear_of_every_message()
    {
        var (stalledId, quickId) = (RelayNode.NewId("stalled"), RelayNode.NewId("quick"));
        api.Register(stalledId);
        await using var stalled = await RelayClient.ConnectAsync(api, $"/relay?peer_id={stalledId}", stalls: true);
        await using var quick = await api.PeerAsync(quickId);
        await using var sender = await api.PeerAsync();
        var memory = api.Service<RelayHub>().Memory;
        long most = 0;

        // 40 MB for somebody who takes next to nothing of it.
        const int Messages = 114;
        var heard = HearAllAsync();
        for (var number = 0; number < Messages; number++)
        {
            await sender.SendAsync(Numbered(stalledId, number, 350_000), frame: 4096);
            most = Math.Max(most, memory.Held);
        }

        await sender.SendAsync(Numbered(quickId, Messages, 100));
        (await quick.HearAsync())!["request_id"]!.GetValue<string>().Should().Be($"{Messages}");
        (await heard).Should().BeGreaterThan(90, "what is not in the sockets' own buffers is told of");
        most.Should().BeLessThan(8 << 20, "a queue, an account, and what is being read");
        await VtpApi.UntilAsync(() => memory.Held < 1 << 20, "the memory to be given back");

        async Task<int> HearAllAsync()
        {
            for (var errors = 0; ; errors++)
            {
                var next = await sender.HearAsync().WaitAsync(TimeSpan.FromSeconds(4)).ContinueWith(task => task.IsCompletedSuccessfully ? task.Result : null, TaskScheduler.Default);
                if (next is null)
                {
                    return errors;
                }

                next["payload"]!["code"]!.GetValue<int>().Should().BeOneOf(404, 503);
            }
        }
    }

    [Fact]
    public async Task What_no_envelope_is_is_refused_and_after_five_of_them_the_link_ends()
    {
        await using var peer = await api.PeerAsync();
        for (var number = 0; number < 5; number++)
        {
            await peer.SendAsync(number % 2 == 0 ? "nonsense" : """{"type":"relay_chunk_data","type":"relay_chunk_request","to":"peer-nine"}""");
            (await peer.HearAsync())!["payload"]!["code"]!.GetValue<int>().Should().Be(400);
        }

        (await peer.ClosedAsync()).Should().Be(1008);
    }

    private async Task RefusedAsync(string path, HttpStatusCode status, string? key = null)
    {
        var connect = () => RelayClient.ConnectAsync(api, path, key);
        (await connect.Should().ThrowAsync<HandshakeRefused>()).Which.Status.Should().Be(status);
    }

    private static byte[] Numbered(string to, int number, int length) =>
        Encoding.UTF8.GetBytes($$"""{"type":"relay_chunk_data","to":"{{to}}","request_id":"{{number}}","payload":"{{new string('A', length)}}"}""");

    private static byte[] Sized(string to, int length)
    {
        var without = Encoding.UTF8.GetBytes($$"""{"type":"relay_chunk_data","to":"{{to}}","payload":""}""").Length;
        return Encoding.UTF8.GetBytes($$"""{"type":"relay_chunk_data","to":"{{to}}","payload":"{{new string('A', length - without)}}"}""");
    }
}
