using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Vtp.Benchmarks;

/// <summary>What one run of a load saw.</summary>
/// <param name="Refused">Answers with the one status above 399 that the row expects.</param>
/// <param name="Failed">Every other answer above 399, and connections that broke.</param>
internal sealed record Load(long Requests, TimeSpan Duration, TimeSpan P50, TimeSpan P99, long Refused, long Failed)
{
    public const int Connections = 64;

    // One thread drives 64 connections faster than two cores can serve them, and leaves the most to the servers.
    private const int Threads = 1;

    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "drive.lua");
    private static readonly string AnnounceScript = Path.Combine(AppContext.BaseDirectory, "announce.lua");

    public double PerSecond => Requests / Duration.TotalSeconds;

    /// <summary>wrk, a closed loop: each connection sends its next request when it has its answer.</summary>
    public static Task<Load> WrkAsync(
        Uri server, IEnumerable<string> requests, TimeSpan duration, CancellationToken ct, int? expectedRefusal = null) =>
        WrkAsync(server, Script, string.Join('\u0001', requests), duration, ct, $"{expectedRefusal}");

    /// <summary>The same, no request twice.</summary>
    /// <param name="server">Where.</param>
    /// <param name="request">In which \1 stands for a peer and \2 for a file.</param>
    /// <param name="files">The first file, and how peers and files are written.</param>
    /// <param name="peers">How many there are.</param>
    /// <param name="duration">For so long.</param>
    /// <param name="ct">Ends it.</param>
    public static Task<Load> AnnounceAsync(
        Uri server, string request, (int First, string PeerFormat, string FileFormat) files, int peers, TimeSpan duration, CancellationToken ct) =>
        WrkAsync(server, AnnounceScript, request, duration, ct, $"{peers}", $"{files.First}", files.PeerFormat, files.FileFormat);

    private static async Task<Load> WrkAsync(Uri server, string script, string text, TimeSpan duration, CancellationToken ct, params string[] more)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, text, ct);
            string[] arguments =
            [
                "--threads", $"{Threads}", "--connections", $"{Connections}", "--duration", $"{(int)duration.TotalSeconds}s",
                "--timeout", "10s", "--script", script, server.ToString(), "--", file, .. more,
            ];
            return Parse(await RunAsync("wrk", arguments, ct));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The same closed loop for what wrk cannot do: a step needs the answer of the one before.</summary>
    /// <param name="step">Sends the next request of one worker; false when it was not answered as it should.</param>
    public static async Task<Load> ChainsAsync(Func<int, CancellationToken, Task<bool>> step, TimeSpan duration, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var workers = await Task.WhenAll(Enumerable.Range(0, Connections).Select(worker => Task.Run(() => WorkAsync(worker), ct)));
        var elapsed = Stopwatch.GetElapsedTime(started);
        var latencies = workers.SelectMany(worker => worker.Latencies).Order().ToArray();
        return new Load(
            latencies.Length, elapsed, latencies[latencies.Length / 2], latencies[latencies.Length * 99 / 100], 0, workers.Sum(worker => worker.Failed));

        async Task<(List<TimeSpan> Latencies, int Failed)> WorkAsync(int worker)
        {
            var (latencies, failed) = (new List<TimeSpan>(), 0);
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                var sent = Stopwatch.GetTimestamp();
                failed += await step(worker, ct) ? 0 : 1;
                latencies.Add(Stopwatch.GetElapsedTime(sent));
            }

            return (latencies, failed);
        }
    }

    public static string Request(string method, string path, string? token = null, string? body = null, string? key = null)
    {
        var request = new StringBuilder($"{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        if (token is not null)
        {
            request.Append(CultureInfo.InvariantCulture, $"Authorization: Bearer {token}\r\n");
        }

        if (key is not null)
        {
            request.Append(CultureInfo.InvariantCulture, $"X-API-Key: {key}\r\n");
        }

        if (body is not null)
        {
            request.Append(CultureInfo.InvariantCulture, $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n");
        }

        return request.Append("\r\n").Append(body).ToString();
    }

    private static Load Parse(string output)
    {
        if (output.Split('\n').FirstOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal)) is not { } result)
        {
            throw new InvalidOperationException($"wrk measured nothing: {output}");
        }

        var numbers = Array.ConvertAll(result.Split(' ')[1..], number => long.Parse(number, CultureInfo.InvariantCulture));
        return new Load(numbers[0], Microseconds(numbers[1]), Microseconds(numbers[2]), Microseconds(numbers[3]), numbers[4], numbers[5]);
    }

    private static TimeSpan Microseconds(long count) => TimeSpan.FromMicroseconds(count);

    private static async Task<string> RunAsync(string program, string[] arguments, CancellationToken ct)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return output;
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }
}
