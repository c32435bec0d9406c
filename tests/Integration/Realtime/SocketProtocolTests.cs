using System.Text.Json;

namespace Vtp.Integration.Realtime;

/// <summary>The cases of the public test suite of Socket.IO, protocol 5, and what a stranger would try.</summary>
public sealed class SocketProtocolTests(ProtocolApi api) : IClassFixture<ProtocolApi>
{
    [Theory]
    [InlineData("40", "40{", "42[\"auth\",{}]")]
    [InlineData("40{\"token2\":\"123\"}", "40{", "42[\"auth\",{\"token2\":\"123\"}]")]
    [InlineData("40/custom,", "40/custom,{", "42/custom,[\"auth\",{}]")]
    [InlineData("40/custom", "40/custom,{", "42/custom,[\"auth\",{}]")]
    [InlineData("40/custom,{\"token2\":\"abc\"}", "40/custom,{", "42/custom,[\"auth\",{\"token2\":\"abc\"}]")]
    public async Task A_client_joins_a_namespace(string sent, string accepted, string first)
    {
        using var client = await RawClient.OpenAsync(api, "EIO=4&transport=websocket");
        await client.ReadAsync();
        await client.SendAsync(sent);
        var answer = (await client.ReadAsync())!;
        answer.Should().StartWith(accepted);
        JsonDocument.Parse(answer[answer.IndexOf('{')..]).RootElement.EnumerateObject().Select(one => one.Name).Should().Equal("sid");
        (await client.ReadAsync()).Should().Be(first);
    }

    [Theory]
    [InlineData("40/random", "44/random,{\"message\":\"Invalid namespace\"}")]
    [InlineData("40{\"unwelcome\":1}", "44{\"message\":\"You are not welcome.\",\"data\":{\"error\":\"test.unwelcome\",\"message\":\"You are not welcome.\"}}")]
    [InlineData("40/topics,", "44/topics,{\"message\":\"Show a credential: auth.token, auth.apiKey or a ticket.\",\"data\":{\"error\":\"auth.required\",\"message\":\"Show a credential: auth.token, auth.apiKey or a ticket.\"}}")]
    [InlineData("40/topics,{\"token\":\"nonsense\"}", "44/topics,{\"message\":\"Sign in to do this.\",\"data\":{\"error\":\"auth.required\",\"message\":\"Sign in to do this.\"}}")]
    public async Task Who_may_not_come_in_is_told_why(string sent, string answer)
    {
        using var client = await RawClient.OpenAsync(api, "EIO=4&transport=websocket");
        await client.ReadAsync();
        await client.SendAsync(sent);
        (await client.ReadAsync()).Should().Be(answer);
        await client.SendAsync("40");
        (await client.ReadAsync()).Should().StartWith("40{", "another namespace is another matter");
    }

    [Fact]
    public async Task Who_leaves_one_namespace_stays_in_the_other()
    {
        using var client = await RawClient.ConnectAsync(api);
        await client.SendAsync("40/custom");
        await client.ReadAsync();
        await client.ReadAsync();
        await client.SendAsync("41/custom");
        await client.SendAsync("42[\"message\",\"message to main namespace\"]");
        (await client.ReadAsync()).Should().Be("42[\"message-back\",\"message to main namespace\"]");
        await client.SendAsync("41");
        await client.SendAsync("40/custom");
        (await client.ReadAsync()).Should().StartWith("40/custom,", "the connection is there for other namespaces");
    }

    [Theory]
    [InlineData("42[\"message\",1,\"2\",{\"3\":[true]}]", "42[\"message-back\",1,\"2\",{\"3\":[true]}]")]
    [InlineData("42456[\"message-with-ack\",1,\"2\",{\"3\":[false]}]", "43456[1,\"2\",{\"3\":[false]}]")]
    [InlineData("42[\"message\"]", "42[\"message-back\"]")]
    [InlineData("427[\"message\"]", "437[]")]
    [InlineData("421[\"fail\"]", "431[{\"error\":\"server.failed\",\"message\":\"Something went wrong on our side.\"}]")]
    [InlineData("42[\"no such thing\"]", "42[\"error\",{\"error\":\"realtime.event_unknown\",\"message\":\"This namespace takes no such event.\"}]")]
    public async Task Events_and_acknowledgements(string sent, string received)
    {
        using var client = await RawClient.ConnectAsync(api);
        await client.SendAsync(sent);
        var answer = await client.ReadAsync();
        (answer!.StartsWith("42[\"message-back\"") && received.StartsWith("43") ? await client.ReadAsync() : answer).Should().Be(received);
    }

    [Fact]
    public async Task Bytes_travel_beside_their_event()
    {
        using var client = await RawClient.ConnectAsync(api);
        await client.SendAsync("452-[\"message\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]");
        await client.SendAsync(1, 2, 3);
        await client.SendAsync(4, 5, 6);
        (await client.ReadAsync()).Should().Be("452-[\"message-back\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]");
        (await client.ReadAsync()).Should().Be("01-02-03");
        (await client.ReadAsync()).Should().Be("04-05-06");

        await client.SendAsync("452-789[\"message-with-ack\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]");
        await client.SendAsync(1, 2, 3);
        await client.SendAsync(4, 5, 6);
        (await client.ReadAsync()).Should().Be("462-789[{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]");
        (await client.ReadAsync()).Should().Be("01-02-03");
        (await client.ReadAsync()).Should().Be("04-05-06");
    }

    [Theory]
    [InlineData("4abc")]
    [InlineData("42")]
    [InlineData("42{}")]
    [InlineData("42[]")]
    [InlineData("42[1]")]
    [InlineData("42[\"connect\"]")]
    [InlineData("42[\"disconnect\",1]")]
    [InlineData("42/random,[\"message\"]")]
    [InlineData("4299999999999[\"message\"]")]
    [InlineData("42[\"message\",")]
    [InlineData("42[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")]
    [InlineData("45-[\"message\"]")]
    [InlineData("4511-[\"message\"]")]
    [InlineData("451-[\"message\",{\"_placeholder\":true,\"num\":1}]", true)]
    [InlineData("451-[\"message\",{\"_placeholder\":true,\"num\":\"x\"}]", true)]
    [InlineData("451-[\"message\",{\"_placeholder\":true,\"num\":0}]", false, "42[\"message\"]")]
    [InlineData("40[]")]
    [InlineData("40\"text\"")]
    [InlineData("40")]
    [InlineData("43[]")]
    [InlineData("44{}")]
    public async Task What_is_no_packet_ends_the_connection(string packet, bool withBytes = false, string? then = null)
    {
        using var client = await RawClient.ConnectAsync(api);
        await client.SendAsync(packet);
        if (withBytes)
        {
            await client.SendAsync(1, 2, 3);
        }

        if (then is not null)
        {
            await client.SendAsync(then);
        }

        await client.ShouldEndAsync();
    }

    [Fact]
    public async Task Bytes_without_an_event_end_the_connection()
    {
        using var client = await RawClient.ConnectAsync(api);
        await client.SendAsync(1, 2, 3);
        await client.ShouldEndAsync();
    }
}
