using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vtp.Application.Tracker;

/// <summary>Who holds a file, as others are told of it: written once, for it is told often.</summary>
public sealed class SwarmPeer
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // As all JSON of ours; it is never put into a page.
    };

    private readonly byte[] _fields;

    /// <param name="peerId">Its name.</param>
    /// <param name="ip">IPv6 in brackets.</param>
    /// <param name="port">Where it listens.</param>
    /// <param name="hostname">For people.</param>
    public SwarmPeer(string peerId, string ip, int port, string? hostname)
    {
        PeerId = peerId;
        _fields = JsonSerializer.SerializeToUtf8Bytes(new Fields(peerId, ip, port, hostname ?? ""), Json)[..^1];
    }

    public string PeerId { get; }

    /// <summary>Without the brace that ends it: more may follow.</summary>
    public ReadOnlySpan<byte> OpenObject => _fields;

    private sealed record Fields(string PeerId, string Ip, int Port, string Hostname);
}

/// <summary>Some of those who hold a file, as several who ask are told.</summary>
/// <param name="peers">In no order.</param>
/// <param name="limit">How many were asked for.</param>
/// <param name="takenAt">A timestamp of the clock.</param>
public sealed class HolderSample(SwarmPeer[] peers, int limit, long takenAt)
{
    // Few enough that those who begin at the same time are not all sent to the same peers; and of a crowd not more than
    // each of the usual fifty can serve.
    private const int Askers = 8;
    private const int AskersAtOnce = 50;
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(5);

    private PeerListJson? _json;
    private int _askers = 1;

    public IReadOnlyList<SwarmPeer> Peers => peers;

    public int Limit => limit;

    /// <summary>Whether one more may be told it.</summary>
    public bool IsGoodForAnother(TimeProvider clock) => Interlocked.Increment(ref _askers) switch
    {
        <= Askers => true,
        <= AskersAtOnce => clock.GetElapsedTime(takenAt) < AtOnce,
        _ => false,
    };

    /// <param name="chunks">All of the file.</param>
    public PeerListJson Json(ChunkNumbersJson chunks) => _json ??= PeerListJson.Of(peers, chunks);
}

/// <summary>Holders of one file, each with all its chunks.</summary>
[JsonConverter(typeof(Converter<PeerListJson>))]
public sealed class PeerListJson : IWrittenJson
{
    private PeerListJson(ReadOnlyMemory<byte> utf8) => Utf8 = utf8;

    public ReadOnlyMemory<byte> Utf8 { get; }

    public static PeerListJson Of(SwarmPeer[] peers, ChunkNumbersJson chunks)
    {
        ReadOnlySpan<byte> before = ",\"chunks_available\":"u8, after = ",\"is_seeder\":true}"u8;
        var all = chunks.Utf8.Span;
        var length = 2;
        foreach (var peer in peers)
        {
            length += peer.OpenObject.Length + before.Length + all.Length + after.Length + 1;
        }

        var utf8 = new byte[length];
        var rest = utf8.AsSpan();
        Add(ref rest, "["u8);
        for (var index = 0; index < peers.Length; index++)
        {
            Add(ref rest, index == 0 ? [] : ","u8);
            Add(ref rest, peers[index].OpenObject);
            Add(ref rest, before);
            Add(ref rest, all);
            Add(ref rest, after);
        }

        Add(ref rest, "]"u8);
        return new PeerListJson(utf8.AsMemory(0, length - rest.Length));

        static void Add(ref Span<byte> rest, ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(rest);
            rest = rest[bytes.Length..];
        }
    }
}
