using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;
using Vtp.Integration.Realtime;

namespace Vtp.Integration.Rooms;

/// <summary>Two nodes with one media server, and the clients of socket.io: for all tests of live rooms.</summary>
public sealed class RoomNodes : IAsyncLifetime
{
    public const string Name = "Rooms";

    public VtpApi One { get; } = new();

    public VtpApi Other { get; private set; } = null!;

    public MediasoupDouble Mediasoup { get; private set; } = null!;

    public SocketClients Clients { get; } = new();

    public async Task InitializeAsync()
    {
        Mediasoup = await MediasoupDouble.StartAsync();
        await One.InitializeAsync();
        Other = await SecondNode.BesideAsync(One, ("Sfu:MediasoupUrl", Mediasoup.Url), ("Sfu:Timeout", "00:00:02"));
        await Clients.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await Clients.DisposeAsync();
        await Other.DisposeAsync();
        await One.DisposeAsync();
        await Mediasoup.DisposeAsync();
    }

    /// <summary>Connected, and in no room yet.</summary>
    public async Task<Guest> ConnectAsync(Person person, VtpApi? node = null, string space = "/", object? auth = null)
    {
        var client = Clients.Open(node ?? One, space, auth: auth ?? new { token = person.AccessToken });
        var sid = (await client.WaitAsync("connect"))[0]!["sid"]!.GetValue<string>();
        return new Guest(client, sid, person);
    }

    public async Task<Guest> JoinAsync(Person person, string room, VtpApi? node = null, string? name = null)
    {
        var guest = await ConnectAsync(person, node);
        var joined = await guest.AskAsync("join-room", new { roomId = room, fullName = name, isProducer = true });
        joined["success"]?.GetValue<bool>().Should().BeTrue(joined.ToJsonString());
        return guest with { Joined = joined };
    }

    public static string NewRoom() => $"صف/room {Guid.NewGuid():N}";
}

/// <summary>Somebody's client.</summary>
/// <param name="Sid">By which others know it.</param>
public sealed record Guest(SocketIoClient Client, string Sid, Person Person)
{
    public JsonNode Joined { get; init; } = new JsonObject();

    public IReadOnlyList<string> Present => [.. Joined["participants"]!.AsArray().Select(one => one!["SocketID"]!.GetValue<string>())];

    /// <summary>What the acknowledgement holds.</summary>
    public async Task<JsonNode> AskAsync(string name, object? payload = null) => (await Client.AskAsync(name, payload ?? new { }))[0]!;

    public async Task<JsonNode> WaitAsync(string name, int atLeast = 1) => (await Client.WaitAsync(name, atLeast))[0]!;

    /// <summary>Once somebody is told this of somebody.</summary>
    public Task HearsAsync(string name, string peer) => VtpApi.UntilAsync(
        () => Client.All(name).Any(told => told[0]!["peerId"]?.GetValue<string>() == peer), $"{name} of {peer}");

    public void Close() => Client.Close();
}

[CollectionDefinition(RoomNodes.Name)]
public sealed class RoomCollection : ICollectionFixture<RoomNodes>;
