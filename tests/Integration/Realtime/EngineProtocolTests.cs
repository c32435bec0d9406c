using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Realtime;

/// <summary>A server that one other site may use.</summary>
public sealed class ProtocolApi : LiveApi
{
    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("Cors:Origins", "https://app.example.com")];
}

/// <summary>The cases of the public test suite of Engine.IO 4, those of 3 where they differ, and what a stranger would try.</summary>
public sealed class EngineProtocolTests(ProtocolApi api) : IClassFixture<ProtocolApi>
{
    [Theory]
    [InlineData("EIO=4&transport=polling")]
    [InlineData("EIO=4&transport=websocket")]
    [InlineData("EIO=3&transport=polling")]
    [InlineData("EIO=3&transport=websocket")]
    public async Task A_session_opens(string query)
    {
        string text;
        if (query.EndsWith("polling"))
        {
            using var answer = await api.Http.GetAsync(new Uri($"/socket.io/?{query}", UriKind.Relative));
            answer.StatusCode.Should().Be(HttpStatusCode.OK);
            answer.Content.Headers.ContentType!.ToString().Should().Be("text/plain; charset=UTF-8");
            text = await answer.Content.ReadAsStringAsync();
        }
        else
        {
            using var client = await RawClient.OpenAsync(api, query);
            text = (await client.ReadAsync())!;
        }

        if (query.Contains("EIO=3&transport=polling"))
        {
            // Beside it stands the main namespace, which protocol 4 joins by itself.
            text.Should().MatchRegex("^[0-9]+:0{").And.EndWith("2:4042:42[\"auth\",{}]".Replace("42:42", "13:42"));
            text = text[(text.IndexOf(':') + 1)..];
        }

        text.Should().StartWith("0");
        var value = JsonDocument.Parse(text[1..(text.IndexOf('}') + 1)]).RootElement;
        value.EnumerateObject().Select(one => one.Name).Should().Equal("sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload");
        value.GetProperty("sid").GetString().Should().HaveLength(20);
        value.GetProperty("upgrades").GetArrayLength().Should().Be(query.EndsWith("polling") ? 1 : 0);
        value.GetProperty("pingInterval").GetInt32().Should().Be(25_000);
        value.GetProperty("pingTimeout").GetInt32().Should().Be(20_000);
        value.GetProperty("maxPayload").GetInt32().Should().Be(1_000_000);
    }

    [Theory]
    [InlineData("GET", "transport=polling", 5, "Unsupported protocol version")]
    [InlineData("GET", "EIO=abc&transport=polling", 5, "Unsupported protocol version")]
    [InlineData("GET", "EIO=4", 0, "Transport unknown")]
    [InlineData("GET", "EIO=4&transport=abc", 0, "Transport unknown")]
    [InlineData("GET", "EIO=4&transport=polling&sid=nobody", 1, "Session ID unknown")]
    [InlineData("POST", "EIO=4&transport=polling&sid=nobody", 1, "Session ID unknown")]
    [InlineData("POST", "EIO=4&transport=polling", 2, "Bad handshake method")]
    [InlineData("PUT", "EIO=4&transport=polling", 2, "Bad handshake method")]
    [InlineData("GET", "EIO=4&transport=websocket", 3, "Bad request")]
    public async Task What_is_no_handshake_is_refused_in_the_words_of_the_protocol(string method, string query, int code, string message)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/socket.io/?{query}");
        using var answer = await api.Http.SendAsync(request);
        answer.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (await answer.Content.ReadAsStringAsync()).Should().Be($$"""{"code":{{code}},"message":"{{message}}"}""");
    }

    [Theory]
    [InlineData(4, "42[\"message\",\"a\"]", "42[\"message-back\",\"a\"]")]
    [InlineData(4, "42[\"message\",1]\u001e42[\"message\",\"zwei \u00e9\ud83d\ude00\"]", "42[\"message-back\",1]\u001e42[\"message-back\",\"zwei \u00e9\ud83d\ude00\"]")]
    [InlineData(4, "451-[\"message\",{\"_placeholder\":true,\"num\":0}]\u001ebAQIDBA==", "451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]\u001ebAQIDBA==")]
    [InlineData(3, "17:42[\"message\",\"a\"]", "22:42[\"message-back\",\"a\"]")]
    [InlineData(3, "51:451-[\"message\",{\"_placeholder\":true,\"num\":0},\"\u00e9\ud83d\ude00\"]10:b4AQIDBA==", "56:451-[\"message-back\",{\"_placeholder\":true,\"num\":0},\"\u00e9\ud83d\ude00\"]10:b4AQIDBA==")]
    public async Task Packets_come_and_go_by_polling(int version, string sent, string received)
    {
        var sid = await RawClient.OpenSessionAsync(api, $"EIO={version}&transport=polling");
        if (version == 4)
        {
            (await PostAsync(version, sid, "40")).Text.Should().Be("ok");
            var packets = WithoutPings(await PollAsync(version, sid));
            packets.Should().StartWith("40{\"sid\":");
        }

        (await PostAsync(version, sid, sent)).Should().Be((HttpStatusCode.OK, "ok"));
        var text = "";
        while (text.Length < received.Length)
        {
            text += (text.Length == 0 || version == 3 ? "" : "\u001e") + WithoutPings(await PollAsync(version, sid));
        }

        text.Should().Be(received);
    }

    [Fact]
    public async Task Version_3_posts_bytes_as_they_are()
    {
        var sid = await RawClient.OpenSessionAsync(api, "EIO=3&transport=polling");
        var text = "451-[\"message\",{\"_placeholder\":true,\"num\":0}]"u8.ToArray();
        byte[] body = [0, .. Digits(text.Length), 255, .. text, 1, .. Digits(4), 255, 4, 7, 8, 9];
        using var content = new ByteArrayContent(body) { Headers = { { "Content-Type", "application/octet-stream" } } };
        using var answer = await api.Http.PostAsync(new Uri($"/socket.io/?EIO=3&transport=polling&sid={sid}", UriKind.Relative), content);
        answer.StatusCode.Should().Be(HttpStatusCode.OK);
        (await PollAsync(3, sid)).Should().EndWith($"b4{Convert.ToBase64String([7, 8, 9])}");

        static byte[] Digits(int number) => [.. number.ToString().Select(digit => (byte)(digit - '0'))];
    }

    [Theory]
    [InlineData(4, "abc")]
    [InlineData(4, "4abc")]
    [InlineData(4, "\u001e")]
    [InlineData(4, "b!!")]
    [InlineData(4, "")]
    [InlineData(3, "abc")]
    [InlineData(3, "99:4a")]
    [InlineData(3, "-1:4")]
    public async Task What_is_no_payload_ends_the_session(int version, string body)
    {
        var sid = await RawClient.OpenSessionAsync(api, $"EIO={version}&transport=polling");
        (await PostAsync(version, sid, body)).Status.Should().Be(HttpStatusCode.BadRequest);
        (await StatusOfPollAsync(version, sid)).Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused_before_it_is_read()
    {
        var sid = await RawClient.OpenSessionAsync(api);
        (await PostAsync(4, sid, new string('4', 1_000_001))).Status.Should().Be(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task Two_polls_at_once_end_the_session()
    {
        var sid = await RawClient.OpenSessionAsync(api);
        var first = PollAsync(4, sid);
        await VtpApi.UntilAsync(
            async () =>
            {
                var second = await StatusOfPollAsync(4, sid);
                return second == HttpStatusCode.BadRequest;
            },
            "the second poll to be refused");
        (await first).Should().Be("1");
        (await StatusOfPollAsync(4, sid)).Should().Be(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData(4, "1", "6")]
    [InlineData(3, "1:1", "1:6")]
    public async Task Who_closes_is_answered_with_nothing_and_is_gone(int version, string close, string last)
    {
        var sid = "";
        await VtpApi.UntilAsync(
            async () =>
            {
                sid = await RawClient.OpenSessionAsync(api, $"EIO={version}&transport=polling");
                var polled = PollAsync(version, sid);
                (await PostAsync(version, sid, close)).Status.Should().Be(HttpStatusCode.OK);

                // One that comes behind the close finds nobody.
                return (await polled).EndsWith(last, StringComparison.Ordinal);
            },
            "a poll that was there before the close");
        (await StatusOfPollAsync(version, sid)).Should().Be(HttpStatusCode.BadRequest);

        using var client = await RawClient.OpenAsync(api, $"EIO={version}&transport=websocket");
        await client.ReadAsync();
        await client.SendAsync("1");
        await client.ShouldEndAsync();
    }

    [Fact]
    public async Task The_server_pings_and_who_answers_stays()
    {
        using var client = await RawClient.ConnectAsync(api);
        var sid = await RawClient.OpenSessionAsync(api);
        await PostAsync(4, sid, "40");
        (await PollAsync(4, sid)).Should().StartWith("40");
        for (var turn = 0; turn < 3; turn++)
        {
            api.Clock.Advance(TimeSpan.FromSeconds(25));
            (await client.ReadAsync(withPings: true)).Should().Be("2");
            await client.SendAsync("3");
            (await PollAsync(4, sid)).Should().Be("2");
            (await PostAsync(4, sid, "3")).Text.Should().Be("ok");
        }
    }

    [Fact]
    public async Task Clients_of_version_3_ping_by_themselves()
    {
        using var client = await RawClient.OpenAsync(api, "EIO=3&transport=websocket");
        (await client.ReadAsync()).Should().StartWith("0");
        (await client.ReadAsync()).Should().Be("40");
        (await client.ReadAsync()).Should().StartWith("42");
        for (var turn = 0; turn < 3; turn++)
        {
            api.Clock.Advance(TimeSpan.FromSeconds(25));
            await client.SendAsync("2");
            (await client.ReadAsync()).Should().Be("3");
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(3)]
    public async Task Who_is_silent_is_closed(int version)
    {
        using var client = await RawClient.OpenAsync(api, $"EIO={version}&transport=websocket");
        var sid = await RawClient.OpenSessionAsync(api, $"EIO={version}&transport=polling");
        var polled = version == 4 ? PollAsync(version, sid) : null;
        api.Clock.Advance(TimeSpan.FromSeconds(25));
        await (polled ?? Task.CompletedTask); // The ping, which it does not answer.
        if (version == 4)
        {
            (await client.ReadAsync()).Should().StartWith("0");
            (await client.ReadAsync(withPings: true)).Should().Be("2");
        }

        api.Clock.Advance(TimeSpan.FromSeconds(21));
        await client.ShouldEndAsync();
        await VtpApi.UntilAsync(async () => (await PostAsync(version, sid, "")).Text.Contains("Session ID unknown"), "the session to end");
    }

    [Fact]
    public async Task Who_joins_no_namespace_is_closed()
    {
        using var client = await RawClient.OpenAsync(api, "EIO=4&transport=websocket");
        for (var turn = 0; turn < 2; turn++)
        {
            api.Clock.Advance(TimeSpan.FromSeconds(25));
            while (await client.ReadAsync(withPings: true) is { } packet && packet != "2")
            {
            }

            if (turn == 0)
            {
                await client.SendAsync("3");
            }
        }

        await client.ShouldEndAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(3)]
    public async Task A_session_changes_from_polling_to_a_WebSocket(int version)
    {
        var sid = await RawClient.OpenSessionAsync(api, $"EIO={version}&transport=polling");
        if (version == 4)
        {
            await PostAsync(version, sid, "40");
            await PollAsync(version, sid);
        }

        var polled = PollAsync(version, sid);
        using var client = await RawClient.OpenAsync(api, $"EIO={version}&transport=websocket&sid={sid}");
        await client.SendAsync("2probe");
        (await client.ReadAsync()).Should().Be("3probe");
        (await polled).Should().EndWith("6", "whoever polls is sent away");
        WithoutPings(await PollAsync(version, sid)).Should().EndWith("6");
        await client.SendAsync("5");
        await client.SendAsync("42[\"message\",\"hello\"]");
        string? echoed;
        while ((echoed = await client.ReadAsync()) is { } packet && packet.StartsWith("42[\"auth\""))
        {
        }

        echoed.Should().Be("42[\"message-back\",\"hello\"]");
        (await StatusOfPollAsync(version, sid)).Should().Be(HttpStatusCode.BadRequest, "it polls no more");
        using var second = await RawClient.OpenAsync(api, $"EIO={version}&transport=websocket&sid={sid}");
        await second.SendAsync("2probe");
        await second.ShouldEndAsync();
        await client.SendAsync("42[\"message\",\"still here\"]");
        (await client.ReadAsync()).Should().Be("42[\"message-back\",\"still here\"]");
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("4")]
    [InlineData("49")]
    public async Task What_is_no_packet_ends_the_connection(string packet)
    {
        using var client = await RawClient.OpenAsync(api, "EIO=4&transport=websocket");
        await client.ReadAsync();
        await client.SendAsync(packet);
        await client.ShouldEndAsync();
    }

    [Fact]
    public async Task A_message_that_is_too_large_ends_the_connection()
    {
        using var client = await RawClient.ConnectAsync(api);
        await client.SendAsync($"42[\"message\",\"{new string('a', 1_000_000)}\"]");
        await client.ShouldEndAsync();
    }

    [Theory]
    [InlineData("https://evil.example", false)]
    [InlineData("null", false)]
    [InlineData("https://app.example.com", true)]
    public async Task Other_sites_are_kept_out(string origin, bool isAllowed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/socket.io/?EIO=4&transport=polling");
        request.Headers.Add("Origin", origin);
        using var answer = await api.Http.SendAsync(request);
        answer.StatusCode.Should().Be(isAllowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
        if (isAllowed)
        {
            answer.Headers.GetValues("Access-Control-Allow-Origin").Should().Equal(origin);
            using var client = await RawClient.OpenAsync(api, "EIO=4&transport=websocket", origin);
            (await client.ReadAsync()).Should().StartWith("0");
        }
        else
        {
            (await answer.Content.ReadAsStringAsync()).Should().Be("""{"code":4,"message":"Forbidden"}""");
            await FluentActions.Awaiting(() => RawClient.OpenAsync(api, "EIO=4&transport=websocket", origin)).Should().ThrowAsync<WebSocketException>();
        }
    }

    private static string WithoutPings(string packets) => packets.Replace("\u001e2\u001e", "\u001e").Replace("2\u001e4", "4").Replace("2\u001e6", "6");

    private async Task<string> PollAsync(int version, string sid)
    {
        using var answer = await api.Http.GetAsync(new Uri($"/socket.io/?EIO={version}&transport=polling&sid={sid}", UriKind.Relative));
        return await answer.Content.ReadAsStringAsync();
    }

    private async Task<HttpStatusCode> StatusOfPollAsync(int version, string sid)
    {
        using var answer = await api.Http.GetAsync(new Uri($"/socket.io/?EIO={version}&transport=polling&sid={sid}", UriKind.Relative));
        return answer.StatusCode;
    }

    private async Task<(HttpStatusCode Status, string Text)> PostAsync(int version, string sid, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/socket.io/?EIO={version}&transport=polling&sid={sid}", UriKind.Relative))
        {
            Content = new StringContent(body, Encoding.UTF8, "text/plain"),
        };
        request.Headers.ExpectContinue = body.Length > 100_000; // Refused while it is sent, it would be a broken pipe.
        using var answer = await api.Http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
