using System.Text.Json;
using Vtp.Application.Tracker;

namespace Vtp.Api.Realtime;

/// <summary>One event as the feed says it. Names are what strangers wrote: all that could be markup is escaped.</summary>
internal static class FeedFrames
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <param name="withAddresses">Who has shown nothing is not told where a peer is.</param>
    public static byte[] Of(TrackerChange change, DateTimeOffset now, bool withAddresses) => change switch
    {
        TrackerChange.PeerJoined { PeerId: var id, Hostname: var host, Ip: var ip } when withAddresses =>
            Frame("peer_joined", new { PeerId = id, Hostname = host ?? "", Ip = ip }, now),
        TrackerChange.PeerJoined { PeerId: var id, Hostname: var host } => Frame("peer_joined", new { PeerId = id, Hostname = host ?? "" }, now),
        TrackerChange.PeerLeft { PeerId: var id } => Frame("peer_left", new { PeerId = id }, now),
        TrackerChange.FileAdded { Hash: var hash, Name: var name, Size: var size, AddedBy: var by } =>
            Frame("file_added", new { Hash = hash, Name = name, Size = size, AddedBy = by }, now),
        TrackerChange.FileRemoved { Hash: var hash } => Frame("file_removed", new { Hash = hash }, now),
        _ => throw new ArgumentOutOfRangeException(nameof(change)),
    };

    /// <param name="relayPeers">Connected to the relay of this node.</param>
    /// <param name="clients">Of the feed of this node.</param>
    public static byte[] Stats(TrackerCounts counts, int relayPeers, int clients, DateTimeOffset now) => Frame(
        "stats_update",
        new { counts.PeersOnline, counts.PeersTotal, FilesCount = counts.Files, RelayPeers = relayPeers, WsClients = clients },
        now);

    private static byte[] Frame<T>(string type, T data, DateTimeOffset now) =>
        JsonSerializer.SerializeToUtf8Bytes(new { Type = type, Data = data, Timestamp = now.UtcDateTime }, Options);
}
