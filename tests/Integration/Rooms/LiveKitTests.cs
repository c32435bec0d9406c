using System.Net;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Rooms;

public sealed class LiveKitTests(LiveKitTests.Server api) : IClassFixture<LiveKitTests.Server>
{
    private readonly LiveKitSender _liveKit = new(api);
    private readonly string _id = $"EV_{Guid.NewGuid():N}";

    [Theory]
    [InlineData("/api/v1/webhooks/livekit", "application/webhook+json", "")]
    [InlineData("/webhooks/livekit", "application/webhook+json", "")]
    [InlineData("/api/v1/webhooks/livekit", "application/json; charset=utf-8", "Bearer ")]
    public async Task An_event_that_LiveKit_signed_is_kept_as_it_came(string path, string contentType, string scheme)
    {
        var answer = await (_liveKit with { Path = path, ContentType = contentType, Scheme = scheme }).SendAsync(LiveKitSender.Event(_id));

        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        answer["message"].Should().NotBeEmpty();
        (await api.QueryAsync<string>(
            "SELECT concat_ws(' ', event, room_name, body -> 'room' ->> 'sid', extract(epoch FROM created_at)::bigint, received_at IS NOT NULL) FROM livekit_events WHERE id = $1", _id))
            .Should().Be("room_started lesson-1 RM_1 1795240800 t");
    }

    [Fact]
    public async Task A_second_delivery_is_answered_alike_and_stored_once_also_at_the_same_time()
    {
        await using var second = await Server.BesideAsync(api);
        var both = new[] { _liveKit, new LiveKitSender(second) };

        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(turn => both[turn % 2].SendAsync(LiveKitSender.Event(_id))));

        answers.Should().OnlyContain(answer => answer.Status == HttpStatusCode.OK);
        (await CountAsync()).Should().Be(1);
    }

    [Fact]
    public async Task Names_that_nobody_knows_any_order_and_events_without_id_are_accepted()
    {
        (await _liveKit.SendAsync(LiveKitSender.Event(_id, "room_teleported"))).Status.Should().Be(HttpStatusCode.OK);
        (await _liveKit.SendAsync(LiveKitSender.Event(_id + "b", "participant_left"))).Status.Should().Be(HttpStatusCode.OK);
        (await _liveKit.SendAsync(LiveKitSender.Event(_id + "a", "participant_joined"))).Status.Should().Be(HttpStatusCode.OK);
        var without = $$$"""{"event":"egress_ended","egressInfo":{"roomName":"{{{_id}}}"}}""";
        (await _liveKit.SendAsync(without)).Status.Should().Be(HttpStatusCode.OK);
        (await _liveKit.SendAsync(without)).Status.Should().Be(HttpStatusCode.OK);

        (await api.QueryAsync<long>("SELECT count(*) FROM livekit_events WHERE room_name = $1", _id)).Should().Be(1);
    }

    [Fact]
    public async Task A_NUL_in_what_a_participant_chose_loses_no_event()
    {
        var body = $$$"""{"event":"participant_joined","id":"{{{_id}}}","room":{"name":"a\u0000b"},"participant":{"metadata":"\\u0000 \u0000 \\\u0000"}}""";

        (await _liveKit.SendAsync(body)).Status.Should().Be(HttpStatusCode.OK);

        (await api.QueryAsync<string>("SELECT room_name || '|' || (body -> 'participant' ->> 'metadata') FROM livekit_events WHERE id = $1", _id))
            .Should().Be("a\uFFFDb|\\u0000 \uFFFD \\\uFFFD");
    }

    [Fact]
    public async Task Both_keys_are_known_while_they_are_rotated() =>
        (await (_liveKit with { Issuer = "APInext", SigningKey = "the-next-secret" }).SendAsync(LiveKitSender.Event(_id))).Status.Should().Be(HttpStatusCode.OK);

    [Fact]
    public async Task A_wrong_signature_is_refused()
    {
        var forgers = new[]
        {
            _liveKit with { SigningKey = "another-secret" },
            _liveKit with { Issuer = "APIunknown" },
            _liveKit with { Issuer = "APInext" },
            _liveKit with { Issuer = LiveKitSender.Key.ToLowerInvariant() },
            _liveKit with { IsSigned = false },
            _liveKit with { IsSigned = false, Header = new JsonObject { ["alg"] = "none" } },
            _liveKit with { Header = new JsonObject { ["alg"] = "none" } },
            _liveKit with { Header = new JsonObject { ["alg"] = "hs256" } },
            _liveKit with { Header = new JsonObject { ["alg"] = "HS512" } },
            _liveKit with { Header = new JsonObject { ["alg"] = "HS256", ["crit"] = new JsonArray("b64") } },
            _liveKit with { Scheme = "Basic " },
        };
        foreach (var forger in forgers)
        {
            (await forger.SendAsync(LiveKitSender.Event(_id))).ShouldBeProblem(HttpStatusCode.Unauthorized, "livekit.signature_rejected");
        }

        (await CountAsync()).Should().Be(0);
    }

    [Fact]
    public async Task A_body_that_is_not_the_signed_one_is_refused()
    {
        foreach (var hash in (string[])["", "nonsense", Convert.ToBase64String(new byte[32]), Convert.ToBase64String(new byte[31])])
        {
            (await (_liveKit with { BodyHash = hash }).SendAsync(LiveKitSender.Event(_id))).ShouldBeProblem(HttpStatusCode.Unauthorized, "livekit.body_rejected");
        }

        (await CountAsync()).Should().Be(0);
    }

    [Theory]
    [InlineData(0, -29, true)]
    [InlineData(0, -31, false)]
    [InlineData(28, 300, true)]
    [InlineData(32, 300, false)]
    public async Task A_token_counts_in_its_time_and_half_a_minute_around_it(int notBefore, int expires, bool accepted)
    {
        var answer = await (_liveKit with { NotBefore = TimeSpan.FromSeconds(notBefore), Expires = TimeSpan.FromSeconds(expires) }).SendAsync(LiveKitSender.Event(_id));

        if (accepted)
        {
            answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        }
        else
        {
            answer.ShouldBeProblem(HttpStatusCode.Unauthorized, "livekit.token_expired");
        }
    }

    [Fact]
    public async Task What_is_signed_and_no_event_is_refused()
    {
        foreach (var body in (string[])["{", "[]", "{}", "{\"event\":1}", "{\"event\":\"\"}"])
        {
            (await _liveKit.SendAsync(body)).ShouldBeProblem(HttpStatusCode.BadRequest, "livekit.event_malformed");
        }

        (await (_liveKit with { ContentType = "text/plain" }).SendAsync(LiveKitSender.Event(_id))).Status.Should().Be(HttpStatusCode.UnsupportedMediaType);
        (await _liveKit.SendAsync(LiveKitSender.Event(_id, room: new string('x', 300_000)))).Status.Should().Be(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task While_it_cannot_be_kept_it_is_not_answered_with_200()
    {
        await using var lone = new Server();
        await lone.InitializeAsync();
        await lone.QueryAsync<object>("ALTER TABLE livekit_events RENAME TO away");

        (await new LiveKitSender(lone).SendAsync(LiveKitSender.Event(_id))).Status.Should().Be(HttpStatusCode.InternalServerError);

        await lone.QueryAsync<object>("ALTER TABLE away RENAME TO livekit_events");
        (await new LiveKitSender(lone).SendAsync(LiveKitSender.Event(_id))).Status.Should().Be(HttpStatusCode.OK);
        (await lone.QueryAsync<long>("SELECT count(*) FROM livekit_events")).Should().Be(1);
    }

    [Fact]
    public async Task No_secret_of_it_is_logged()
    {
        await _liveKit.SendAsync(LiveKitSender.Event(_id));
        await (_liveKit with { IsSigned = false }).SendAsync(LiveKitSender.Event(_id));

        api.Log.Should().Contain(line => line.Contains("ReceiveLiveKitEvent", StringComparison.Ordinal));
        api.Log.Should().NotContain(line => line.Contains(LiveKitSender.Secret, StringComparison.Ordinal));
    }

    private Task<long> CountAsync() => api.QueryAsync<long>("SELECT count(*) FROM livekit_events WHERE id = $1", _id);

    public sealed class Server : VtpApi, IAsyncDisposable
    {
        private string? _database;

        protected override bool LogsAll => true;

        protected override IEnumerable<KeyValuePair<string, string>> Settings =>
        [
            new("LiveKit:ApiKey", LiveKitSender.Key), new("LiveKit:ApiSecret", LiveKitSender.Secret), new("LiveKit:Keys:APInext", "the-next-secret"),
        ];

        public static async Task<Server> BesideAsync(Server first)
        {
            var second = new Server { _database = first.ConnectionString, Clock = first.Clock };
            await second.InitializeAsync();
            return second;
        }

        protected override Task<string> DatabaseAsync() => _database is { } shared ? Task.FromResult(shared) : base.DatabaseAsync();

        async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();
    }
}

public sealed class LiveKitNotConfiguredTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Without_a_key_of_LiveKit_nothing_is_received_and_the_operator_is_told_why() =>
        (await new LiveKitSender(api).SendAsync(LiveKitSender.Event("EV_1"))).ShouldBeProblem(HttpStatusCode.NotFound, "livekit.not_configured");
}
