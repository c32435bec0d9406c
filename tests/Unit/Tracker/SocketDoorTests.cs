using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Vtp.Api.Realtime;
using Vtp.Infrastructure.Relay;

namespace Vtp.Unit.Tracker;

public sealed class SocketDoorTests
{
    private static readonly IPAddress School = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Home = IPAddress.Parse("192.0.2.2");

    [Fact]
    public void An_address_has_so_many_connections_and_no_more()
    {
        var door = Door();
        var (first, _) = (Enter(door, School), Enter(door, School));

        door.Enter(School).TryGet(out _, out var refusal).Should().BeFalse();
        refusal!.Code.Should().Be("socket.too_many");
        Enter(door, Home);
        door.Enter(IPAddress.Parse("192.0.2.3")).TryGet(out _, out refusal).Should().BeFalse();
        refusal!.Code.Should().Be("socket.full");

        first.Dispose();
        Enter(door, School);
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData(null, "http://tracker.example:8080", true)]
    [InlineData(null, "https://tracker.example:8080", false)]
    [InlineData(null, "http://other.example:8080", false)]
    [InlineData(null, "https://app.example", true)]
    [InlineData(null, "null", false)]
    [InlineData("https://school.example", "https://school.example", true)]
    [InlineData("https://school.example", "http://tracker.example:8080", false)]
    public void A_browser_comes_from_a_site_that_may(string? publicUrl, string? origin, bool mayEnter)
    {
        var context = new DefaultHttpContext();
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("tracker.example:8080");
        context.Features.Set<IHttpWebSocketFeature>(new AsksForOne());
        if (origin is not null)
        {
            context.Request.Headers.Origin = origin;
        }

        context.RequestServices = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("PublicUrl", publicUrl)]).Build())
            .AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins("https://app.example")))
            .BuildServiceProvider();

        SocketDoor.Check(context).Should().Match(refusal => (refusal == null) == mayEnter);
    }

    private static SocketDoor Door() => new(Options.Create(new RelayOptions { Connections = 3, ConnectionsPerAddress = 2 }));

    private static SocketDoor.Place Enter(SocketDoor door, IPAddress address) =>
        door.Enter(address).TryGet(out var place, out var refusal) ? place : throw new InvalidOperationException(refusal.Code);

    private sealed class AsksForOne : IHttpWebSocketFeature
    {
        public bool IsWebSocketRequest => true;

        public Task<System.Net.WebSockets.WebSocket> AcceptAsync(WebSocketAcceptContext context) => throw new NotSupportedException();
    }
}
