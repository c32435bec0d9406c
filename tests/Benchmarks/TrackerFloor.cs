using System.Text.Json.Serialization;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Benchmarks;

/// <summary>
/// What a durable announcement costs when nothing is checked: Kestrel, a route, a peer and a hash out of the body, and one
/// writer that takes all that wait and writes them in one statement. No keys, no tenants, no memory, no events.
/// </summary>
internal static class TrackerFloor
{
    private const int MostAtOnce = 2048;

    private const string MakeTable = "CREATE TABLE IF NOT EXISTS floor_members (peer text NOT NULL, hash text NOT NULL, PRIMARY KEY (peer, hash))";
    private const string Write = "INSERT INTO floor_members (peer, hash) SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING";

    public static async Task RunAsync(string connectionString)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, TrackerFloorJson.Default));
        await using var database = Connections.Pool(connectionString);
        await using (var make = database.CreateCommand(MakeTable))
        {
            await make.ExecuteNonQueryAsync();
        }

        await using var app = builder.Build();
        var queue = Channel.CreateUnbounded<Waiting>(new UnboundedChannelOptions { SingleReader = true });
        var kept = Array.Empty<byte>();
        app.MapPost("/announce", async (FloorAnnouncement announcement) =>
        {
            var waiting = new Waiting(announcement.PeerId, announcement.File.Hash);
            queue.Writer.TryWrite(waiting);
            await waiting.Done.Task;
            return TypedResults.Ok(new FloorAnnounced(true, waiting.Hash));
        });
        app.MapPost("/heartbeat", (FloorHeartbeat heartbeat) => TypedResults.Ok(new FloorAnnounced(true, heartbeat.PeerId)));
        app.MapPut("/kept", async (HttpRequest request) =>
        {
            var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            kept = body.ToArray();
        });
        app.MapGet("/kept", () => TypedResults.Bytes(kept, "application/json"));
        app.MapGet("/health/detailed", () => TypedResults.Ok(new TrackerFloorHealth(new TrackerFloorMemory(GC.GetTotalAllocatedBytes()))));
        _ = WriteAsync(database, queue.Reader);

        await app.StartAsync();
        await Console.Out.WriteLineAsync($"Floor serves on {app.Urls.First()}");
        await app.WaitForShutdownAsync();
    }

    private static async Task WriteAsync(NpgsqlDataSource database, ChannelReader<Waiting> queue)
    {
        await using var connection = await database.OpenConnectionAsync();
        var batch = new List<Waiting>(MostAtOnce);
        while (await queue.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < MostAtOnce && queue.TryRead(out var waiting))
            {
                batch.Add(waiting);
            }

            await using var write = new NpgsqlCommand(Write, connection);
            write.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. batch.Select(waiting => waiting.Peer)] });
            write.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. batch.Select(waiting => waiting.Hash)] });
            await write.ExecuteNonQueryAsync();
            foreach (var waiting in batch)
            {
                waiting.Done.SetResult();
            }
        }
    }

    private sealed record Waiting(string Peer, string Hash)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

internal sealed record FloorAnnouncement([property: JsonPropertyName("peer_id")] string PeerId, [property: JsonPropertyName("file")] FloorFile File);

internal sealed record FloorFile([property: JsonPropertyName("hash")] string Hash);

internal sealed record FloorHeartbeat([property: JsonPropertyName("peer_id")] string PeerId);

internal sealed record FloorAnnounced([property: JsonPropertyName("success")] bool Success, [property: JsonPropertyName("file_id")] string FileId);

internal sealed record TrackerFloorHealth([property: JsonPropertyName("memory")] TrackerFloorMemory Memory);

internal sealed record TrackerFloorMemory([property: JsonPropertyName("total_allocated_bytes")] long TotalAllocatedBytes);

[JsonSerializable(typeof(TrackerFloorHealth))]
[JsonSerializable(typeof(FloorAnnouncement))]
[JsonSerializable(typeof(FloorHeartbeat))]
[JsonSerializable(typeof(FloorAnnounced))]
internal sealed partial class TrackerFloorJson : JsonSerializerContext;
