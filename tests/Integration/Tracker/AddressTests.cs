using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tracker;

/// <summary>Behind a proxy that says where callers come from: where peers are listed, and how they reach the tracker.</summary>
public sealed class AddressTests(AddressTests.ProxiedApi api) : IClassFixture<AddressTests.ProxiedApi>
{
    public sealed class ProxiedApi : TrackerApi
    {
        protected override IEnumerable<KeyValuePair<string, string>> Settings => [.. base.Settings, new("TrustedProxies", "127.0.0.1")];
    }

    [Theory]
    [InlineData("203.0.113.7", "198.51.100.9", "203.0.113.7")] // From the open: a claim counts for nothing.
    [InlineData("203.0.113.7", "127.0.0.1", "203.0.113.7")]
    [InlineData("203.0.113.7", "", "203.0.113.7")]
    [InlineData("192.168.1.20", "198.51.100.9", "198.51.100.9")] // From the same network as the tracker, with its address outside.
    [InlineData("192.168.1.20", "", "192.168.1.20")]
    [InlineData("2001:db8::7", "", "[2001:db8::7]")]
    [InlineData("2001:db8::7", "198.51.100.9", "[2001:db8::7]")]
    [InlineData("fd00::7", "[2001:db8::9]", "[2001:db8::9]")]
    [InlineData("::ffff:203.0.113.7", "", "203.0.113.7")]
    public async Task A_peer_is_listed_where_it_can_be_reached_and_never_where_somebody_else_is(string from, string claimed, string listed)
    {
        var peer = TestPeer.New(api);

        var answer = await api.SendAsync(
            HttpMethod.Post, "/api/peers/register", $$"""{"peer_id":"{{peer.Id}}","ip":"{{claimed}}","port":6881}""", null, ("X-API-Key", peer.Key), ("X-Forwarded-For", from));

        answer["ip"].Should().Be(listed);
    }

    [Fact]
    public async Task A_magnet_names_the_scheme_that_the_client_used()
    {
        var file = TestFile.New();
        await (await TestPeer.New(api).RegisteredAsync()).SharesAsync(file);

        var magnet = await api.SendAsync(HttpMethod.Get, $"/api/files/{file.Hash}/magnet", null, null, ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "203.0.113.7"));

        magnet.Status.Should().Be(HttpStatusCode.OK, magnet.Text);
        magnet["magnet"].Should().Contain("&tr=https%3A%2F%2F127.0.0.1");
    }
}
