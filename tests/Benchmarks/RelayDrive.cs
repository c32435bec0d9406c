using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Vtp.Benchmarks;

/// <summary>
/// What the relay carries: chunks of 256 KiB in base64, cut into frames of 4096 bytes as peers of the field cut them, beside a
/// floor that hands on every frame unread; and what a crowd of peers that take next to nothing costs in memory.
/// </summary>
internal static class RelayDrive
{
    public const string FloorName = "relay-floor";

    private const string Key = "bench-relay-key";
    private const int Pairs = 4;
    private const int Stalled = 60;
    private const int Rounds = 3;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Run = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StalledRun = TimeSpan.FromSeconds(25);

    public static async Task RunAsync(CancellationToken ct)
    {
        await using var database = await TemporaryPostgres.StartAsync(ct);
        await using var vtp = await Drive.StartVtpAsync(database, ct, new KeyValuePair<string, string>("API_KEYS", Key));
        await using var floor = await ServerProcess.StartAsync(typeof(RelayDrive).Assembly.Location, [FloorName], [], ct);
        var output = Console.Out;

        var (with, bare) = (new List<double>(), new List<double>());
        await CarryAsync(vtp.Url, "warm", ChunkBytes, WarmUp, ct);
        await CarryAsync(floor.Url, "warm", ChunkBytes, WarmUp, ct);
        for (var round = 1; round <= Rounds; round++)
        {
            await Console.Error.WriteLineAsync($"Round {round} of {Rounds}.");
            with.Add(await CarryAsync(vtp.Url, $"chunks{round}", ChunkBytes, Run, ct));
            bare.Add(await CarryAsync(floor.Url, $"chunks{round}", ChunkBytes, Run, ct));
        }

        await output.WriteLineAsync($"| {Pairs} pairs, chunks of 256 KiB | MB/s |");
        await output.WriteLineAsync("|---|---:|");
        await output.WriteLineAsync(Line("relay", Row.Median(with) / 1e6));
        await output.WriteLineAsync(Line("floor: frames handed on unread", Row.Median(bare) / 1e6));
        await output.WriteLineAsync(Line("messages of 300 bytes, thousands a second", await CarryAsync(vtp.Url, "small", 0, Run, ct) / 1e3 / SmallBytes));
        await output.WriteLineAsync();
        await StallAsync(vtp, ct);
    }

    /// <summary>The floor: peers whose ids end alike are a pair.</summary>
    public static async Task RunFloorAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        var links = new ConcurrentDictionary<string, WebSocket>(StringComparer.Ordinal);
        app.UseWebSockets();
        app.MapPost("/api/peers/register", () => Results.Ok());
        app.MapGet("/relay", async (HttpContext context) =>
        {
            var id = context.Request.Query["peer_id"].ToString();
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            links[id] = socket;
            var target = id.Replace("sender", "receiver", StringComparison.Ordinal);
            var buffer = new byte[64 * 1024];
            try
            {
                while (true)
                {
                    var result = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
                    await links[target].SendAsync(buffer.AsMemory(0, result.Count), WebSocketMessageType.Text, result.EndOfMessage, context.RequestAborted);
                }
            }
            catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or ObjectDisposedException)
            {
                // Its peer has hung up.
            }
        });
        await app.StartAsync();
        await Console.Out.WriteLineAsync($"The floor serves on {app.Urls.First()}");
        await app.WaitForShutdownAsync();
    }

    private const int ChunkBytes = 262_144;
    private const double SmallBytes = 360;

    /// <returns>Bytes a second that receivers heard.</returns>
    private static async Task<double> CarryAsync(Uri server, string run, int chunk, TimeSpan time, CancellationToken ct)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var (receivers, work) = (new List<RelayPeer>(), new List<Task>());
        var senders = new List<RelayPeer>();
        for (var pair = 0; pair < Pairs; pair++)
        {
            var (from, to) = ($"sender-{run}-{pair}", $"receiver-{run}-{pair}");
            receivers.Add(await JoinAsync(server, to, ct));
            senders.Add(await JoinAsync(server, from, ct));
            var frames = RelayPeer.Frames(Message(to, chunk));
            work.Add(receivers[pair].HearAsync(end.Token));
            work.Add(senders[pair].HearAsync(end.Token));
            work.Add(senders[pair].FloodAsync(frames, end.Token));
        }

        await Task.Delay(time / 4, ct);
        var (before, started) = (receivers.Sum(peer => peer.Heard), Stopwatch.GetTimestamp());
        await Task.Delay(time, ct);
        var (heard, elapsed) = (receivers.Sum(peer => peer.Heard) - before, Stopwatch.GetElapsedTime(started));
        await end.CancelAsync();
        await Task.WhenAll(work);
        senders.ForEach(peer => peer.Dispose());
        receivers.ForEach(peer => peer.Dispose());
        return heard / elapsed.TotalSeconds;
    }

    private static async Task StallAsync(ServerProcess vtp, CancellationToken ct)
    {
        var output = Console.Out;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var http = new HttpClient();
        var work = new List<Task>();
        var peers = new List<RelayPeer>();
        var before = await MemoryAsync();
        for (var number = 0; number < Stalled; number++)
        {
            var (from, to) = ($"sender-stalled-{number}", $"receiver-stalled-{number}");
            await RegisterAsync(vtp.Url, to, ct);
            var receiver = await RelayPeer.ConnectAsync(vtp.Url, $"/relay?peer_id={to}", ct, stalls: true);
            peers.Add(receiver);
            work.Add(receiver.HearLittleAsync(end.Token));
            var sender = await JoinAsync(vtp.Url, from, ct);
            peers.Add(sender);
            work.Add(sender.HearAsync(end.Token));
            work.Add(sender.FloodAsync(RelayPeer.Frames(Message(to, ChunkBytes)), end.Token));
        }

        var most = before;
        var carried = CarryAsync(vtp.Url, "beside", ChunkBytes, StalledRun, ct);
        while (!carried.IsCompleted)
        {
            most = Math.Max(most, await MemoryAsync());
            await Task.Delay(TimeSpan.FromMilliseconds(500), ct);
        }

        var beside = await carried / 1e6;
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"With {Stalled} receivers that take 160 KB/s and as many senders that flood them: memory {before:0} MB before, {most:0} MB at most; others are carried {beside:0} MB/s meanwhile."));
        await end.CancelAsync();
        await Task.WhenAll(work);
        peers.ForEach(peer => peer.Dispose());

        async Task<double> MemoryAsync() => JsonDocument.Parse(await http.GetStringAsync(new Uri(vtp.Url, "/health/detailed"), ct))
            .RootElement.GetProperty("memory").GetProperty("working_set_mb").GetDouble();
    }

    private static async Task<RelayPeer> JoinAsync(Uri server, string peerId, CancellationToken ct)
    {
        await RegisterAsync(server, peerId, ct);
        return await RelayPeer.ConnectAsync(server, $"/relay?peer_id={peerId}", ct);
    }

    private static async Task RegisterAsync(Uri server, string peerId, CancellationToken ct)
    {
        using var http = new HttpClient { DefaultRequestHeaders = { { "X-API-Key", Key } } };
        using var answer = await http.PostAsJsonAsync(new Uri(server, "/api/peers/register"), new { peer_id = peerId, ip = "", port = 6881 }, ct);
        answer.EnsureSuccessStatusCode();
    }

    private static string Message(string to, int chunk) => JsonSerializer.Serialize(new
    {
        type = "relay_chunk_data",
        to,
        request_id = "00000000-0000-0000-0000-000000000000",
        payload = new { file_hash = new string('a', 64), chunk_index = 0, data = new string('A', chunk * 4 / 3), hash = new string('b', 64) },
        timestamp = "2026-01-02T03:04:05.123456789Z",
    });

    private static string Line(string name, double number) => string.Create(CultureInfo.InvariantCulture, $"| {name} | {number:#,0.#} |");
}
