using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Vtp.Integration.Events;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Realtime;

/// <summary>socket.io's own clients, of today and of Engine.IO 3, over each transport.</summary>
public sealed class ClientTests(LiveApi api, SocketClients clients) : IClassFixture<LiveApi>, IClassFixture<SocketClients>
{
    [Theory]
    [InlineData("websocket", 4)]
    [InlineData("polling", 4)]
    [InlineData("polling,websocket", 4)]
    [InlineData("websocket", 2)]
    [InlineData("polling", 2)]
    [InlineData("polling,websocket", 2)]
    public async Task Events_bytes_and_acknowledgements_pass_both_ways(string transports, int version)
    {
        var client = clients.Open(api, transports: transports, version: version);
        await client.WaitAsync("connect");
        await client.WaitAsync("auth");

        client.Emit("message", 1, "zwei é😀", new { three = new[] { true } });
        (await client.WaitAsync("message-back")).ToJsonString().Should().Be(new JsonArray(1, "zwei é😀", new JsonObject { ["three"] = new JsonArray(true) }).ToJsonString());
        (await client.AskAsync("message-with-ack", "a", 2)).ToJsonString().Should().Be("""["a",2]""");

        var bytes = new { bytes = Convert.ToBase64String(Enumerable.Range(0, 300).Select(number => (byte)number).ToArray()) };
        (await client.AskAsync("message-with-ack", bytes, new { deep = new[] { bytes } })).ToJsonString()
            .Should().Be(JsonNode.Parse($$"""[{"bytes":"{{bytes.bytes}}"},{"deep":[{"bytes":"{{bytes.bytes}}"}]}]""")!.ToJsonString());

        if (version == 4)
        {
            (await client.AskAsync("ask", "question")).ToJsonString().Should().Be($"""["answer of",{client.Id}]""");
            (await client.AskAsync("ask", "silent"))[0]!["error"]!.GetValue<string>().Should().Be("realtime.unanswered");
        }

        if (transports == "polling,websocket")
        {
            // Sent while the client changes over: nothing is lost, and nothing comes twice.
            for (var turn = 0; turn < 20; turn++)
            {
                client.Emit("message", turn);
            }

            await client.WaitAsync("message-back", atLeast: 21);
            client.All("message-back").Skip(1).Select(arguments => arguments[0]!.GetValue<int>()).Should().Equal(Enumerable.Range(0, 20));
        }

        client.Emit("leave");
        (await client.WaitAsync("disconnect"))[0]!.GetValue<string>().Should().Be("io server disconnect");
        client.Close();
    }

    [Fact]
    public async Task A_refused_client_is_told_code_and_sentence()
    {
        var client = clients.Open(api, auth: new { unwelcome = 1 });
        var error = (await client.WaitAsync("connect_error"))[0]!;
        error["message"]!.GetValue<string>().Should().Be("You are not welcome.");
        error["data"]!["error"]!.GetValue<string>().Should().Be("test.unwelcome");
        client.Close();
    }

    [Theory]
    [InlineData("websocket")]
    [InlineData("polling")]
    public async Task A_stream_shows_the_events_of_the_log_with_their_ids(string transports)
    {
        var school = await api.FoundSchoolAsync();
        var stranger = await api.FoundSchoolAsync();
        var client = clients.Open(api, "/events", transports, new { token = school.Owner.AccessToken });
        await client.WaitAsync("connect");
        (await client.AskAsync("subscribe", new { orgId = school.Id, types = new[] { "project.*" } }))[0]!["recovered"]!.GetValue<bool>().Should().BeTrue();

        await stranger.CreateProjectAsync();
        var first = await school.CreateProjectAsync("First");
        var second = await school.CreateProjectAsync("Second");
        await client.WaitAsync("event", atLeast: 2);

        var told = client.All("event").Select(arguments => arguments[0]!).ToList();
        var log = await school.EventsAsync(atLeast: 2, types: "project.created");
        told.Select(one => one["id"]!.GetValue<Guid>()).Should().Equal(log.Select(one => one.Id));
        JsonNode.DeepEquals(told[0], log[0].Body).Should().BeTrue("{0} is {1}", told[0].ToJsonString(), log[0].Body.ToJsonString());

        // With a key: its own project alone, and what happened since an event that it knows.
        var program = clients.Open(api, "/events", transports, new { apiKey = first.Secret });
        await program.WaitAsync("connect");
        (await program.AskAsync("subscribe", new { after = log[0].Id }))[0]!["topics"]!.ToJsonString().Should().Be($"""["project:{first.Id}"]""");
        (await program.WaitAsync("event"))[0]!["type"]!.GetValue<string>().Should().Be("api_key.created");
        (await program.AskAsync("subscribe", new { project_id = second.Id }))[0]!["error"]!.GetValue<string>().Should().Be("project.not_found");
        (await client.AskAsync("subscribe", new { org_id = stranger.Id }))[0]!["error"]!.GetValue<string>().Should().Be("organization.not_found");
        (await client.AskAsync("subscribe", new { after = "garbage" }))[0]!["errors"]!["after"].Should().NotBeNull();
        (await client.AskAsync("subscribe", "{\"types\":[\"no.such\"]}"))[0]!["errors"]!["types"].Should().NotBeNull();
        (await client.AskAsync("subscribe", new { types = 5 }))[0]!["error"]!.GetValue<string>().Should().Be("request.malformed_json");
        program.Close();
        client.Close();
    }

    [Theory]
    [InlineData("session")]
    [InlineData("key")]
    [InlineData("membership")]
    public async Task Whoever_loses_the_right_is_sent_away_within_two_seconds(string right)
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var member = await school.JoinAsync();
        await using var other = await LiveApi.BesideAsync(api);
        var client = clients.Open(other, "/events", auth: right == "key" ? new { apiKey = project.Secret } : new { token = member.AccessToken });
        await client.WaitAsync("connect");
        (await client.AskAsync("subscribe", new { }))[0]!["topics"]!.AsArray().Should().NotBeEmpty();

        var started = Stopwatch.GetTimestamp();
        var answer = right switch
        {
            "session" => await member.PostAsync("auth/logout-all"),
            "key" => await school.Owner.DeleteAsync(project.Path),
            _ => await school.Owner.DeleteAsync($"{school.Path}/members/{await api.QueryAsync<Guid>("SELECT id FROM members WHERE account_id = $1", member.UserId)}"),
        };
        ((int)answer.Status).Should().BeLessThan(300, answer.Text);
        (await client.WaitAsync("disconnect"))[0]!.GetValue<string>().Should().Be("io server disconnect");
        Stopwatch.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(right == "membership" ? 3 : 2.5));
        client.All("error").Should().ContainSingle();
        client.Close();
    }

    [Fact]
    public async Task A_ticket_is_good_once_on_any_node_and_not_for_long()
    {
        var school = await api.FoundSchoolAsync();
        await using var other = await LiveApi.BesideAsync(api);
        var ticket = await TicketAsync();
        var first = clients.Open(other, "/events", query: $"?ticket={ticket}", options: new { reconnection = false });
        await first.WaitAsync("connect");
        (await first.AskAsync("subscribe", new { }))[0]!["topics"]!.AsArray().Should().ContainSingle();

        foreach (var used in new[] { ticket, "nonsense" })
        {
            var second = clients.Open(api, "/events", query: $"?ticket={used}", options: new { reconnection = false });
            (await second.WaitAsync("connect_error"))[0]!["data"]!["error"]!.GetValue<string>().Should().Be("realtime.ticket_rejected");
            second.Close();
        }

        var late = await TicketAsync();
        api.Clock.Advance(TimeSpan.FromSeconds(31));
        var third = clients.Open(api, "/events", auth: new { ticket = late });
        (await third.WaitAsync("connect_error"))[0]!["data"]!["error"]!.GetValue<string>().Should().Be("realtime.ticket_rejected");
        third.Close();

        // Older clients can put nothing else anywhere.
        var old = clients.Open(api, "/events", query: $"?ticket={await TicketAsync()}", version: 2, options: new { reconnection = false });
        await old.WaitAsync("connect");
        (await old.AskAsync("subscribe", new { }))[0]!["topics"]!.AsArray().Should().ContainSingle();
        old.Close();

        await school.Owner.PostAsync("auth/logout-all");
        (await first.WaitAsync("disconnect"))[0]!.GetValue<string>().Should().Be("io server disconnect", "a ticket outlives its session no more than a token does");
        first.Close();

        async Task<string> TicketAsync()
        {
            var answer = await school.Owner.PostAsync("realtime/tickets");
            answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
            return answer["ticket"];
        }
    }

    [Fact]
    public async Task A_token_that_expires_ends_its_socket_unless_it_is_renewed()
    {
        await using var own = new LiveApi();
        await own.InitializeAsync();
        var person = await own.RegisterAsync();
        var (kept, lost) = (clients.Open(own, "/events", auth: new { token = person.AccessToken }), clients.Open(own, "/events", auth: new { token = person.AccessToken }));
        await kept.WaitAsync("connect");
        await lost.WaitAsync("connect");
        own.Clock.Advance(TimeSpan.FromMinutes(55));
        var refreshed = await own.PostAsync("auth/refresh", new { refresh_token = person.RefreshToken });
        (await kept.AskAsync("authenticate", new { token = "nonsense" }))[0]!["error"]!.GetValue<string>().Should().Be("auth.required");
        (await kept.AskAsync("authenticate", new { token = refreshed["access_token"] }))[0]!["good_until"].Should().NotBeNull();
        own.Clock.Advance(TimeSpan.FromMinutes(6));
        await lost.WaitAsync("disconnect");
        kept.All("disconnect").Should().BeEmpty();
        kept.Close();
        lost.Close();
    }

    [Fact]
    public async Task The_example_of_the_guide_is_told_what_happens()
    {
        var guide = await File.ReadAllTextAsync(SocketClients.Repository("docs/realtime.md"));
        var example = guide[(guide.IndexOf("```js", StringComparison.Ordinal) + 5)..];
        example = example[..example.IndexOf("```", StringComparison.Ordinal)];
        var school = await api.FoundSchoolAsync();
        var work = Directory.CreateTempSubdirectory("vtp-live-");
        try
        {
            Directory.CreateSymbolicLink(Path.Combine(work.FullName, "node_modules"), SocketClients.Repository("tests/clients/node_modules"));
            await File.WriteAllTextAsync(
                Path.Combine(work.FullName, "example.mjs"),
                $$"""
                const [url, token] = process.argv.slice(2);
                let lastSeen;
                const readAgain = () => process.exit(2);
                {{example}}
                socket.on('event', () => process.exit(0));
                setTimeout(() => process.exit(1), 20_000);
                """);
            var start = new ProcessStartInfo("node", [Path.Combine(work.FullName, "example.mjs"), api.Url.GetLeftPart(UriPartial.Authority), school.Owner.AccessToken])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            };
            using var node = Process.Start(start)!;
            var output = node.StandardOutput.ReadToEndAsync();
            while (!node.HasExited)
            {
                await school.CreateProjectAsync();
                await Task.WhenAny(node.WaitForExitAsync(), Task.Delay(300));
            }

            (await output).Should().StartWith("project.created ");
            node.ExitCode.Should().Be(0);
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }
}
