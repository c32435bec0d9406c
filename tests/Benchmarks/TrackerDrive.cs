using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Tracker;

namespace Vtp.Benchmarks;

/// <summary>The file tracker with many peers: beside a bare floor that is as durable, and beside another tracker, which keeps nothing on disk.</summary>
internal static class TrackerDrive
{
    private const string Key = "bench-key-of-peers";
    private const string PeerFormat = "bench-peer-%08d";
    private const string FileFormat = "%064x";
    private const string DigitsFormat = "%020d";
    private const int Rounds = 3;
    private const int Peers = 5000;
    private const int ManyPeers = 50_000;
    private const int FilesPerRound = 10_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Run = TimeSpan.FromSeconds(5);

    private static readonly string Announcement = Load.Request(
        "POST",
        "/api/files/announce",
        key: Key,
        body: $$"""{"peer_id":"{{Hole('\u0001', PeerFormat, 0)}}","file":{"name":"lesson.mp4","size":262144,"hash":"{{Hole('\u0002', FileFormat, 0)}}","chunk_size":262144,"chunks":[{"index":0,"hash":"{{Hole('\u0002', FileFormat, 0)}}","size":262144}],"merkle_root":"{{Hole('\u0002', FileFormat, 0)}}"} }""");

    public static async Task RunAsync(CancellationToken ct)
    {
        await using var database = await TemporaryPostgres.StartAsync(ct);
        await using var vtp = await Drive.StartVtpAsync(database, ct, new KeyValuePair<string, string>("API_KEYS", Key), new("Tracker__FilesPerProject", "10000000"));
        await using var floor = await ServerProcess.StartAsync(typeof(Drive).Assembly.Location, ["tracker-floor", database.ConnectionString], [], ct);
        await using var other = await ServerProcess.StartProgramAsync("node", [Path.Combine("tests", "Benchmarks", "bittorrent", "server.mjs")], [], ct);
        using var http = Client(vtp.Url);
        Say("Registering peers.");
        await RegisterAsync(http, 0, Peers, ct);
        await MeasureAsync(vtp, floor, other, http, ct);
        await MemoryAsync(database, http, ct);
        Sweep();
    }

    private static async Task MeasureAsync(ServerProcess vtp, ServerProcess floor, ServerProcess other, HttpClient http, CancellationToken ct)
    {
        var announce = new Row("announcements, each on disk: `POST /api/files/announce`", "floor: as durable, nothing checked");
        var swarm = new Row("announcements over HTTP to bittorrent-tracker, in memory");
        var again = new Row("announcements of what is known");
        var heartbeat = new Row("heartbeats with a file", "floor: reads and answers");
        var find = new Row("who has a file, 50 of 5,000: `GET /api/files/{hash}/peers`", "floor: the same bytes");
        var bare = Announcement.Replace("/api/files/announce", "/announce", StringComparison.Ordinal);
        string[] known = [.. Enumerable.Range(0, Peers).Select(peer => Filled(Announcement, peer, file: 0))];
        string[] beats = [.. Enumerable.Range(0, Peers).Select(Heartbeat)];
        string[] floorBeats = [.. beats.Select(beat => beat.Replace("/api/peers/heartbeat", "/heartbeat", StringComparison.Ordinal))];
        var url = $"/api/files/{File(0)}/peers";
        string[] finds = [Load.Request("GET", url, key: Key)];
        string[] kept = [Load.Request("GET", "/kept")];
        var torrent = Load.Request("GET", $"/announce?info_hash={Hole('\u0002', DigitsFormat, 0)}&peer_id={Hole('\u0001', DigitsFormat, 0)}&port=6881&uploaded=0&downloaded=0&left=0&compact=1&numwant=50&event=started");

        Say("Warming up.");
        await Load.AnnounceAsync(vtp.Url, Template(Announcement), (0, PeerFormat, FileFormat), Peers, WarmUp, ct);
        await Load.AnnounceAsync(floor.Url, Template(bare), (0, PeerFormat, FileFormat), Peers, WarmUp, ct);
        await Load.AnnounceAsync(other.Url, Template(torrent), (0, DigitsFormat, DigitsFormat), Peers, WarmUp, ct);
        using (var client = new HttpClient())
        {
            using var answer = new ByteArrayContent(await http.GetByteArrayAsync(new Uri(url, UriKind.Relative), ct));
            using var put = await client.PutAsync(new Uri(floor.Url, "/kept"), answer, ct);
            put.EnsureSuccessStatusCode();
        }

        foreach (var requests in new[] { known, beats, finds })
        {
            await Load.WrkAsync(vtp.Url, requests, WarmUp, ct);
        }

        for (var round = 1; round <= Rounds; round++)
        {
            Say($"Round {round} of {Rounds}.");
            var first = round * FilesPerRound;
            await announce.AddAsync(
                vtp,
                () => Load.AnnounceAsync(vtp.Url, Template(Announcement), (first, PeerFormat, FileFormat), Peers, Run, ct),
                floor,
                () => Load.AnnounceAsync(floor.Url, Template(bare), (first, PeerFormat, FileFormat), Peers, Run, ct),
                ct);
            await swarm.AddAsync(alone: null, () => Load.AnnounceAsync(other.Url, Template(torrent), (first, DigitsFormat, DigitsFormat), Peers, Run, ct), ct);
            await again.AddAsync(vtp, () => Load.WrkAsync(vtp.Url, known, Run, ct), ct);
            await heartbeat.AddAsync(vtp, () => Load.WrkAsync(vtp.Url, beats, Run, ct), floor, () => Load.WrkAsync(floor.Url, floorBeats, Run, ct), ct);
            await find.AddAsync(vtp, () => Load.WrkAsync(vtp.Url, finds, Run, ct), floor, () => Load.WrkAsync(floor.Url, kept, Run, ct), ct);
        }

        Print($"{Load.Connections} connections, {Peers:#,0} peers");
        Table.Lines([announce, swarm, again, heartbeat, find]);
    }

    /// <summary>A server that has just started and knows as many peers as there are in a large school, all of whom live.</summary>
    private static async Task MemoryAsync(TemporaryPostgres database, HttpClient http, CancellationToken ct)
    {
        Say("Registering many peers.");
        var started = Stopwatch.GetTimestamp();
        await RegisterAsync(http, Peers, ManyPeers, ct);
        var registered = (ManyPeers - Peers) / Stopwatch.GetElapsedTime(started).TotalSeconds;
        await using var fresh = await Drive.StartVtpAsync(database, ct, new KeyValuePair<string, string>("API_KEYS", Key), new("Tracker__FilesPerProject", "10000000"));
        using var client = Client(fresh.Url);
        await Parallel.ForEachAsync(Enumerable.Range(0, ManyPeers), new ParallelOptions { MaxDegreeOfParallelism = Load.Connections, CancellationToken = ct }, async (peer, token) =>
            await PostAsync(client, "/api/peers/heartbeat", $$"""{"peer_id":"{{Peer(peer)}}"}""", token));
        var health = JsonDocument.Parse(await client.GetStringAsync(new Uri("/health/detailed", UriKind.Relative), ct)).RootElement;
        var (memory, stats) = (health.GetProperty("memory"), health.GetProperty("stats"));
        Print($"\n{registered:#,0} new peers a second register, each on disk and with its event.");
        Print($"A server with {stats.GetProperty("peers_online").GetInt32():#,0} peers online and {stats.GetProperty("files_count").GetInt32():#,0} files uses {memory.GetProperty("working_set_mb").GetDouble():0} MB, {memory.GetProperty("heap_mb").GetDouble():0} MB of it on the heap.");
    }

    /// <summary>In this process: what the server does every two seconds.</summary>
    private static void Sweep()
    {
        var (memory, now) = (new Memory(NullLogger<Memory>.Instance), DateTimeOffset.UnixEpoch.AddYears(60));
        var swarm = memory.Of(new OrganizationId(Guid.NewGuid()), new ProjectId(Guid.NewGuid()));
        for (var peer = 0; peer < ManyPeers; peer++)
        {
            var facts = new PeerFacts(null, null, IPAddress.Loopback, 6881, now, IsOnline: true, 0, 0, null);
            memory.Add(new Peer(peer, swarm, Peer(peer), facts, IPAddress.Loopback, peer % 1000 == 0 ? now.AddMinutes(-2) : now));
        }

        var times = new List<double>();
        for (var turn = 0; turn < 200; turn++)
        {
            var started = Stopwatch.GetTimestamp();
            if (Sweeper.Due(memory, now).Peers.Count != ManyPeers / 1000)
            {
                throw new InvalidOperationException("Other peers are due than those that were silent.");
            }

            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        Print($"A sweep over {ManyPeers:#,0} peers takes {Row.Median(times):0.0} ms, {times.Max():0.0} ms at most.");
    }

    private static async Task RegisterAsync(HttpClient http, int from, int to, CancellationToken ct) => await Parallel.ForEachAsync(
        Enumerable.Range(from, to - from),
        new ParallelOptions { MaxDegreeOfParallelism = Load.Connections, CancellationToken = ct },
        async (peer, token) => await PostAsync(http, "/api/peers/register", $$"""{"peer_id":"{{Peer(peer)}}","ip":"127.0.0.1","port":6881}""", token));

    private static async Task PostAsync(HttpClient http, string path, string body, CancellationToken ct)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), content, ct);
        answer.EnsureSuccessStatusCode();
    }

    private static HttpClient Client(Uri url) => new() { BaseAddress = url, DefaultRequestHeaders = { { "X-API-Key", Key } } };

    private static string Peer(int number) => string.Create(CultureInfo.InvariantCulture, $"bench-peer-{number:D8}");

    private static string File(int number) => string.Create(CultureInfo.InvariantCulture, $"{number:x64}");

    private static string Heartbeat(int peer) => Load.Request("POST", "/api/peers/heartbeat", key: Key, body: $$"""{"peer_id":"{{Peer(peer)}}","files_hashes":["{{File(0)}}"]}""");

    /// <summary>As long as what will stand there, for the length of the body is written before it.</summary>
    private static string Hole(char mark, string format, int number) => new(mark, format switch
    {
        PeerFormat => Peer(number).Length,
        FileFormat => File(number).Length,
        _ => 20,
    });

    /// <summary>With one mark for each hole.</summary>
    private static string Template(string request) =>
        new([.. request.Where((character, index) => index == 0 || character is not ('\u0001' or '\u0002') || request[index - 1] != character)]);

    private static string Filled(string request, int peer, int file) =>
        Template(request).Replace("\u0001", Peer(peer), StringComparison.Ordinal).Replace("\u0002", File(file), StringComparison.Ordinal);

    private static void Say(string text) => Console.Error.WriteLine(text);

    private static void Print(FormattableString line) => Console.Out.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
