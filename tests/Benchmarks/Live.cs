using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Vtp.Benchmarks;

/// <summary>
/// Sockets, beside npm's socket.io server, with the same clients: what an idle one costs, how fast they connect, how long a
/// message takes to a thousand subscribers, and how many are delivered in a second.
/// </summary>
internal static class Live
{
    private const int Idle = 5000;
    private const int ConnectedAtOnce = 64;
    private const int Subscribers = 1000;
    private const int Publishers = 16;
    private const int Rounds = 3;
    private static readonly TimeSpan Calm = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Run = TimeSpan.FromSeconds(5);

    private static readonly KeyValuePair<string, string>[] Settings =
    [
        new("Realtime__ConnectionsPerAddress", "100000"),
        new("Realtime__MaximumConnections", "100000"),
        new("Realtime__MessagesPerSecond", "1000000"),
        new("Realtime__MessageBurst", "1000000"),
        new("RateLimits__socket__Limit", "1000000"),
        new("RateLimits__socket__Burst", "1000000"),
    ];

    public static async Task RunAsync(CancellationToken ct)
    {
        await using var database = await TemporaryPostgres.StartAsync(ct);
        KeyValuePair<string, string>[] settings = [new("ConnectionStrings__Vtp", database.ConnectionString), new("VTP_FOLDER", database.Folder), .. Settings];
        var (vtp, other) = (new List<Figures>(), new List<Figures>());
        for (var round = 1; round <= Rounds; round++)
        {
            Say($"Round {round} of {Rounds}.");
            await using (var server = await ServerProcess.StartAsync(typeof(Live).Assembly.Location, ["live-server"], settings, ct))
            {
                vtp.Add(await MeasureAsync(server, ct));
            }

            await using (var server = await ServerProcess.StartProgramAsync("node", [Script("live-server.mjs"), Script("../clients/package.json")], [], ct))
            {
                other.Add(await MeasureAsync(server, ct));
            }
        }

        await using var one = await ServerProcess.StartAsync(typeof(Live).Assembly.Location, ["live-server"], settings, ct);
        await using var two = await ServerProcess.StartAsync(typeof(Live).Assembly.Location, ["live-server"], settings, ct);
        using var subscriber = await LiveClient.OpenAsync(two.Url, ct);
        using var publisher = await LiveClient.OpenAsync(one.Url, ct);
        var across = await CalmAsync([subscriber], publisher, ct);
        Print(vtp, other, across);
    }

    private static async Task<Figures> MeasureAsync(ServerProcess server, CancellationToken ct)
    {
        // What a first client costs is not what each costs.
        var warm = await OpenAsync(server, 50, ct);
        await JoinAsync(warm, ct);
        await CalmAsync(warm, warm[0], ct);
        Close(warm);

        var before = server.ResidentBytes;
        var started = Stopwatch.GetTimestamp();
        var idle = await OpenAsync(server, Idle, ct);
        var connecting = Stopwatch.GetElapsedTime(started);
        var bytes = (server.ResidentBytes - before) / Idle;
        Close(idle.Skip(Subscribers + 1));

        var subscribers = idle.Take(Subscribers).ToList();
        await JoinAsync(subscribers, ct);
        var calm = await CalmAsync(subscribers, idle[Subscribers], ct);
        var (delivered, busy) = await BusyAsync(server, subscribers, ct);
        Close(idle);
        return new Figures(Idle / connecting.TotalSeconds, bytes, calm, delivered, busy);
    }

    private static async Task<List<LiveClient>> OpenAsync(ServerProcess server, int count, CancellationToken ct)
    {
        var opened = new ConcurrentBag<LiveClient>();
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = ConnectedAtOnce, CancellationToken = ct }, async (_, cancellationToken) =>
            opened.Add(await LiveClient.OpenAsync(server.Url, ct)));
        return [.. opened];
    }

    private static Task JoinAsync(List<LiveClient> clients, CancellationToken ct) =>
        Task.WhenAll(clients.Select(client => client.AskAsync("""42/bench,0["join","all"]""", 0, ct)));

    /// <summary>A message now and then: what it takes when nobody has to wait.</summary>
    private static async Task<Latency> CalmAsync(List<LiveClient> subscribers, LiveClient publisher, CancellationToken ct)
    {
        await JoinAsync(subscribers, ct);
        var took = new ConcurrentQueue<long>();
        subscribers.ForEach(subscriber => subscriber.Took = took.Enqueue);
        for (var number = 0; number < 50; number++)
        {
            await publisher.AskAsync(Publish(1), 1, ct);
            await Task.Delay(Calm, ct);
        }

        subscribers.ForEach(subscriber => subscriber.Took = null);
        return Latency.Of(took);
    }

    /// <summary>As many as it takes: each publisher sends its next message when the last one was acknowledged.</summary>
    private static async Task<(double PerSecond, Latency Latency)> BusyAsync(ServerProcess server, List<LiveClient> subscribers, CancellationToken ct)
    {
        var publishers = await OpenAsync(server, Publishers, ct);
        var took = new ConcurrentQueue<long>();
        subscribers[0].Took = took.Enqueue;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var (before, started) = (subscribers.Sum(subscriber => subscriber.Received), Stopwatch.GetTimestamp());
        var publishing = Task.WhenAll(publishers.Select(async publisher =>
        {
            for (var id = 1; Stopwatch.GetElapsedTime(started) < Run; id = (id % 1000) + 1)
            {
                await publisher.AskAsync(Publish(id), id, ct);
            }
        }));
        await publishing;
        var delivered = subscribers.Sum(subscriber => subscriber.Received) - before;
        var elapsed = Stopwatch.GetElapsedTime(started);
        subscribers[0].Took = null;
        Close(publishers);
        return (delivered / elapsed.TotalSeconds, Latency.Of(took));
    }

    private static string Publish(int id) => string.Create(
        CultureInfo.InvariantCulture, $"""42/bench,{id}["publish","all","{Stopwatch.GetTimestamp()} {new string('x', 80)}"]""");

    private static void Close(IEnumerable<LiveClient> clients)
    {
        foreach (var client in clients)
        {
            client.Dispose();
        }
    }

    private static void Print(List<Figures> vtp, List<Figures> other, Latency across)
    {
        var output = Console.Out;
        output.WriteLine("| | connects/s | KB an idle connection | p50 ms | p99 ms | deliveries/s | p99 ms then |");
        output.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        output.WriteLine(Line("VTP", vtp));
        output.WriteLine(Line("socket.io", other));
        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"From one node to another: p50 {across.P50:0.0} ms, p99 {across.P99:0.0} ms."));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Row.Median(vtp.Zip(other, (one, two) => one.Delivered / two.Delivered)):0.0} times socket.io's deliveries; {Idle} connections held, {Subscribers} subscribers."));
    }

    private static string Line(string name, List<Figures> rounds) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {name} | {Row.Median(rounds.Select(one => one.Connects)):#,0} | {Row.Median(rounds.Select(one => one.Bytes / 1024.0)):0.0} | {Row.Median(rounds.Select(one => one.Calm.P50)):0.0} | {Row.Median(rounds.Select(one => one.Calm.P99)):0.0} | {Row.Median(rounds.Select(one => one.Delivered)):#,0} | {Row.Median(rounds.Select(one => one.Busy.P99)):0.0} |");

    private static string Script(string name, [CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "..", name));

    private static void Say(string text) => Console.Error.WriteLine(text);

    private sealed record Figures(double Connects, long Bytes, Latency Calm, double Delivered, Latency Busy);

    private sealed record Latency(double P50, double P99)
    {
        public static Latency Of(IReadOnlyCollection<long> took)
        {
            var sorted = took.Order().ToList();
            return sorted.Count == 0 ? new(double.NaN, double.NaN) : new(At(0.5), At(0.99));

            double At(double share) => sorted[(int)(share * (sorted.Count - 1))] * 1000.0 / Stopwatch.Frequency;
        }
    }
}
