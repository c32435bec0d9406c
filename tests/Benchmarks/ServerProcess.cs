using System.Diagnostics;
using System.Text.Json;

namespace Vtp.Benchmarks;

/// <summary>A server that was started for this run, on a port that the system chose, and ends with it.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string Greeting = " serves on ";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly HttpClient _http = new();

    private ServerProcess(Process process, Uri url) => (_process, Url) = (process, url);

    public Uri Url { get; }

    /// <summary>Memory of the process that is in use now.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public static Task<ServerProcess> StartAsync(
        string assembly, string[] arguments, IEnumerable<KeyValuePair<string, string>> environment, CancellationToken ct) =>
        StartProgramAsync("dotnet", [assembly, .. arguments], environment, ct);

    /// <param name="program">Whatever greets as VTP does: its name, "serves on", and where.</param>
    /// <param name="arguments">Of the program.</param>
    /// <param name="environment">Beyond this process's own.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<ServerProcess> StartProgramAsync(
        string program, string[] arguments, IEnumerable<KeyValuePair<string, string>> environment, CancellationToken ct)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        try
        {
            var url = await ReadUrlAsync(process.StandardOutput).WaitAsync(Patience, ct);

            // A pipe that nobody reads would fill up and stop it.
            _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
            return new ServerProcess(process, url);
        }
        catch
        {
            await StopAsync(process);
            throw;
        }
    }

    /// <summary>Bytes that the server has allocated since it started.</summary>
    public async Task<long> AllocatedAsync(CancellationToken ct)
    {
        var health = JsonDocument.Parse(await _http.GetStringAsync(new Uri(Url, "/health/detailed"), ct));
        return health.RootElement.GetProperty("memory").GetProperty("total_allocated_bytes").GetInt64();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await StopAsync(_process);
    }

    private static async Task<Uri> ReadUrlAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            if (line.IndexOf(Greeting, StringComparison.Ordinal) is >= 0 and var at)
            {
                return new Uri(line[(at + Greeting.Length)..]);
            }
        }

        throw new InvalidOperationException("A server ended before it served.");
    }

    private static async Task StopAsync(Process process)
    {
        // It holds nothing that has to be put in order.
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
