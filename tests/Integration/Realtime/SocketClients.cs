using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Realtime;

/// <summary>socket.io's own clients, in one Node.js process that ends with this one.</summary>
public sealed class SocketClients : IAsyncLifetime
{
    private readonly ConcurrentDictionary<int, SocketIoClient> _clients = new();
    private readonly TaskCompletionSource _ready = new();
    private Process? _process;
    private int _ids;

    public async Task InitializeAsync()
    {
        _process = Process.Start(new ProcessStartInfo("node", [Repository("tests/clients/sockets.mjs")])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        _process.OutputDataReceived += (_, line) => Heard(line.Data);
        _process.BeginOutputReadLine();
        await _ready.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public async Task DisposeAsync()
    {
        _process!.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <param name="api">The node that it goes to.</param>
    /// <param name="space">The namespace.</param>
    /// <param name="transports">Separated by commas.</param>
    /// <param name="auth">What it gives along.</param>
    /// <param name="version">4, or 2 for Engine.IO 3.</param>
    /// <param name="options">Of its own, beyond these.</param>
    /// <param name="query">Behind the address.</param>
    /// <param name="quiet">It counts what it is told, and says nothing of it.</param>
    public SocketIoClient Open(
        VtpApi api, string space = "/", string transports = "websocket", object? auth = null, int version = 4, object? options = null, string query = "", bool quiet = false)
    {
        var client = new SocketIoClient(this, Interlocked.Increment(ref _ids));
        _clients[client.Id] = client;
        var all = JsonSerializer.SerializeToNode(options ?? new { })!.AsObject();
        all["transports"] = new JsonArray([.. transports.Split(',').Select(transport => (JsonNode)transport)]);
        all["auth"] = JsonSerializer.SerializeToNode(auth ?? new { });
        Tell(new { @do = "connect", id = client.Id, url = $"{api.Url.GetLeftPart(UriPartial.Authority)}{space}{query}", version, options = all, quiet });
        return client;
    }

    internal void Tell(object command)
    {
        var line = JsonSerializer.Serialize(command);
        lock (_clients)
        {
            _process!.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
    }

    private void Heard(string? line)
    {
        if (line is null || !line.StartsWith('{'))
        {
            return;
        }

        var said = JsonNode.Parse(line)!;
        if (said["id"]?.GetValue<int>() is not { } id)
        {
            _ready.TrySetResult();
        }
        else if (said["ack"]?.GetValue<int>() is { } ack)
        {
            _clients[id].Answered(ack, said["args"]!.AsArray());
        }
        else
        {
            _clients[id].Told(said["on"]!.GetValue<string>(), said["args"]!.AsArray());
        }
    }

    public static string Repository(string path, [CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "../../../..", path));
}

public sealed class SocketIoClient(SocketClients clients, int id)
{
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonArray>> _asked = new();
    private int _acks;

    public int Id { get; } = id;

    /// <summary>Everything that it was told, in order.</summary>
    public ConcurrentQueue<(string Event, JsonArray Arguments)> Events { get; } = new();

    public IReadOnlyList<JsonArray> All(string name) => [.. Events.Where(one => one.Event == name).Select(one => one.Arguments)];

    public async Task<JsonArray> WaitAsync(string name, int atLeast = 1)
    {
        try
        {
            await VtpApi.UntilAsync(() => All(name).Count >= atLeast, $"{atLeast} of {name}");
        }
        catch (TimeoutException timeout)
        {
            throw new TimeoutException($"{timeout.Message} It was told: {string.Join("; ", Events.TakeLast(10).Select(one => $"{one.Event} {one.Arguments.ToJsonString()}"))}", timeout);
        }

        return All(name)[atLeast - 1];
    }

    public void Emit(string name, params object?[] arguments) => clients.Tell(new { @do = "emit", id = Id, @event = name, args = arguments });

    public async Task<JsonArray> AskAsync(string name, params object?[] arguments)
    {
        var ack = Interlocked.Increment(ref _acks);
        var answer = _asked[ack] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        clients.Tell(new { @do = "emit", id = Id, @event = name, args = arguments, ack });
        return await answer.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>How many events it was told.</summary>
    public async Task<int> CountAsync()
    {
        var ask = Interlocked.Increment(ref _acks);
        var answer = _asked[ask] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        clients.Tell(new { @do = "count", id = Id, ask });
        return (await answer.Task.WaitAsync(TimeSpan.FromSeconds(20)))[0]!.GetValue<int>();
    }

    public void Flood(string name, int count) => clients.Tell(new { @do = "flood", id = Id, @event = name, count });

    public void Cut() => clients.Tell(new { @do = "cut", id = Id });

    public void Move(VtpApi node) => clients.Tell(new { @do = "move", id = Id, url = node.Url.GetLeftPart(UriPartial.Authority) });

    public void Close() => clients.Tell(new { @do = "close", id = Id });

    internal void Told(string name, JsonArray arguments) => Events.Enqueue((name, arguments));

    internal void Answered(int ack, JsonArray arguments) => _asked[ack].TrySetResult(arguments);
}
