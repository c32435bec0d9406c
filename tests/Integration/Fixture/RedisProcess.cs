using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Vtp.Integration.Fixture;

/// <summary>
/// A real redis-server of the test's own on a free port of loopback, which a test may kill, start again, freeze, or fill.
/// A machine without one fails the test.
/// </summary>
public sealed class RedisProcess : IAsyncDisposable
{
    // It ends when its input does, which is when this process ends, however it ends, and takes Redis with it.
    private const string Script = "redis-server \"$@\" >/dev/null 2>&1 & echo $!; read -r _; kill -9 $!";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string[] _settings;
    private Process? _shell;
    private int _id;

    private RedisProcess(int port, string[] settings) => (Port, _settings) = (port, settings);

    public int Port { get; }

    /// <summary>For <c>ConnectionStrings__Redis</c>.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <param name="settings">As on redis-server's command line: <c>--maxmemory</c>, <c>2mb</c>, ...</param>
    public static async Task<RedisProcess> StartAsync(params string[] settings)
    {
        for (var attempt = 1; ; attempt++)
        {
            var redis = new RedisProcess(FreePort(), settings);
            try
            {
                await redis.StartAgainAsync();
                return redis;
            }
            catch (TimeoutException) when (attempt < 3)
            {
                // Somebody else took the port between our finding it free and Redis asking for it.
                await redis.DisposeAsync();
            }
        }
    }

    /// <summary>After <see cref="KillAsync"/>: on the same port, with nothing of what it held.</summary>
    public async Task StartAgainAsync()
    {
        string[] arguments = ["-c", Script, "sh", "--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", .. _settings];
        _shell = Process.Start(new ProcessStartInfo("sh", arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = Path.GetTempPath(),
        })!;
        _id = int.Parse(await _shell.StandardOutput.ReadLineAsync() ?? "", CultureInfo.InvariantCulture);
        for (var started = Stopwatch.GetTimestamp(); !await AnswersAsync(); await Task.Delay(20))
        {
            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new TimeoutException("redis-server does not answer; build/test installs it where it is missing.");
            }
        }
    }

    /// <summary>As kill -9.</summary>
    public async Task KillAsync()
    {
        if (_shell is { } shell)
        {
            _shell = null;
            shell.StandardInput.Close();
            await shell.WaitForExitAsync();
            shell.Dispose();
        }
    }

    /// <summary>Its connections stay open and are not answered.</summary>
    public Task FreezeAsync() => SignalAsync("-STOP");

    public Task ThawAsync() => SignalAsync("-CONT");

    public async ValueTask DisposeAsync() => await KillAsync();

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port);
            var password = _settings.SkipWhile(setting => setting != "--requirepass").ElementAtOrDefault(1);
            var greeting = password is null ? "" : $"AUTH \"{password}\"\r\n";
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{greeting}INFO server\r\nQUIT\r\n"));
            using var answer = new StreamReader(client.GetStream(), Encoding.ASCII);
            return (await answer.ReadToEndAsync()).Contains($"process_id:{_id}\r", StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            return false;
        }
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{_id}"]);
        await kill.WaitForExitAsync();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
