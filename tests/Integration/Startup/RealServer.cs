using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Vtp.Integration.Startup;

/// <summary>The server as its operator runs it: a process of its own, in its own build output, on a port that is free.</summary>
internal sealed class RealServer : IAsyncDisposable
{
    private const string LastLineOfGreeting = "Stop with Ctrl-C.";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RealServer(ProcessStartInfo info)
    {
        _process = new Process { StartInfo = info };
        _process.OutputDataReceived += (_, line) => Read(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Read(_errors, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public HttpClient Http { get; private set; } = new();

    public string Output => Text(_output);

    public string Errors => Text(_errors);

    /// <summary>What follows <c>token=</c> in the link for the first administrator, if one was printed.</summary>
    public string? SetupToken => Find(@"(?<=/setup\?token=)\S+");

    /// <summary>Starts it, and returns without waiting for anything.</summary>
    public static RealServer Start(
        VtpFolder folder, string[]? arguments = null, (string Name, string Value)[]? environment = null, string[]? within = null)
    {
        // A test run in the background of a script ignores Ctrl-C, and what it starts would inherit that.
        string[] words = ["env", "--default-signal=INT,TERM", .. within ?? [], Dotnet, Assembly(), "--port", "0", .. arguments ?? []];

        // From the root folder and with a bare environment: nothing that this run was told reaches the server.
        var info = new ProcessStartInfo(words[0], words[1..])
        {
            WorkingDirectory = "/",
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var inherited in info.Environment.Keys.Except(["PATH", "HOME", "DOTNET_ROOT", "DOTNET_TieredPGO", "TMPDIR"], StringComparer.Ordinal).ToArray())
        {
            info.Environment.Remove(inherited);
        }

        foreach (var (name, value) in environment ?? [])
        {
            info.Environment[name] = value;
        }

        info.Environment["VTP_FOLDER"] = folder.Path;
        return new RealServer(info);
    }

    /// <summary>Starts it, and waits until it has said that it serves, and where.</summary>
    public static async Task<RealServer> ServeAsync(
        VtpFolder folder, string[]? arguments = null, (string Name, string Value)[]? environment = null)
    {
        var server = Start(folder, arguments, environment);
        try
        {
            await server.GreetedAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async Task GreetedAsync()
    {
        await Task.WhenAny(_greeted.Task, _process.WaitForExitAsync()).WaitAsync(Patience);
        _greeted.Task.IsCompleted.Should().BeTrue($"it should serve, but it ended and said: {Errors}{Output}");
        Http.BaseAddress = new Uri(Find(@"(?<=^VTP serves on )\S+$")!);
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, object body)
    {
        using var content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(new Uri($"/api/v1/{path}", UriKind.Relative), content);
        return (response.StatusCode, JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync()));
    }

    public async Task<HttpStatusCode> SignInAsync(string email, string password) =>
        (await PostAsync("auth/login", new { email, password })).Status;

    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("/bin/sh", ["-c", "kill -\"$0\" \"$1\"", name, $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    public async Task<int> ExitAsync()
    {
        var exited = _process.WaitForExitAsync();
        (await Task.WhenAny(exited, Task.Delay(Patience))).Should().Be(exited, $"it should end, but said: {Output[^Math.Min(Output.Length, 8000)..]}");
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await ExitAsync();
        _process.Dispose();
        Http.Dispose();
    }

    internal static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    /// <summary>Beside this assembly lies a copy of the server with another configuration: what is shipped is its own output.</summary>
    internal static string Assembly()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(output.Parent!.Parent!.FullName, "Api", output.Name, "Vtp.Api.dll");
    }

    private string? Find(string pattern) =>
        Regex.Match(Output, pattern, RegexOptions.Multiline, Patience) is { Success: true } match ? match.Value : null;

    private void Read(StringBuilder text, string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (text)
        {
            text.AppendLine(line);
        }

        if (line == LastLineOfGreeting)
        {
            _greeted.TrySetResult();
        }
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
