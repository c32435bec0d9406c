namespace Vtp.Infrastructure.Realtime;

/// <summary>Configuration: section Realtime.</summary>
public sealed class RealtimeOptions
{
    public const string Redis = "redis";
    public const string Postgres = "postgres";
    public const string Memory = "memory";

    /// <summary>How messages reach other nodes: redis, postgres, or memory for a server that is alone. By default redis where one is configured, else postgres.</summary>
    public string? Backplane { get; init; }

    /// <summary>For how long messages of a topic can be asked for afterwards.</summary>
    public TimeSpan HistoryFor { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Of one topic so many at most.</summary>
    public int HistoryMessages { get; init; } = 1000;

    /// <summary>Of all topics about so many bytes on a node; then the oldest go first.</summary>
    public long HistoryBytes { get; init; } = 64 << 20;

    /// <summary>So many topics without followers and messages are remembered.</summary>
    public int MaximumTopics { get; init; } = 100_000;

    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(25);

    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Within this long a connection has to join a namespace.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>Bytes of one message of a client, and of one body of polling.</summary>
    public int MaximumPayload { get; init; } = 1_000_000;

    /// <summary>Bytes that wait for one slow client; then it is closed.</summary>
    public int MaximumQueuedBytes { get; init; } = 1 << 20;

    /// <summary>A client that takes nothing for this long is closed.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Connections of this node.</summary>
    public int MaximumConnections { get; init; } = 20_000;

    public int ConnectionsPerAddress { get; init; } = 1000;

    /// <summary>Of one account, or of one API key, on this node.</summary>
    public int ConnectionsPerCaller { get; init; } = 100;

    /// <summary>Messages of one client, evenly spread; what comes faster is not read.</summary>
    public int MessagesPerSecond { get; init; } = 100;

    /// <summary>So many may come at once beyond that.</summary>
    public int MessageBurst { get; init; } = 400;

    /// <summary>A client that is over its pace for this long without a pause is closed.</summary>
    public TimeSpan ThrottledFor { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Takes an access token from <c>?token=</c>, for older clients; addresses are written into the logs of proxies.</summary>
    public bool TokenInUrl { get; init; }
}
