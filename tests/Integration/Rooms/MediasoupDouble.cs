using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Vtp.Integration.Rooms;

/// <summary>The mediasoup service, as far as its routes, what it remembers and how it refuses go. It carries no media.</summary>
public sealed class MediasoupDouble : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<string>> _rooms = new(StringComparer.Ordinal);
    private readonly HashSet<string> _things = new(StringComparer.Ordinal);
    private int _ids;

    private MediasoupDouble(WebApplication app) => _app = app;

    public ConcurrentQueue<(string Path, string Body)> Asked { get; } = new();

    /// <summary>Before each answer.</summary>
    public Func<HttpContext, Task> Before { get; set; } = _ => Task.CompletedTask;

    public string Url => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public bool Has(string room, string peer)
    {
        lock (_lock)
        {
            return _rooms.TryGetValue(room, out var peers) && peers.Contains(peer);
        }
    }

    public bool IsSomewhere(string peer)
    {
        lock (_lock)
        {
            return _rooms.Values.Any(peers => peers.Contains(peer));
        }
    }

    public static async Task<MediasoupDouble> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var unit = new MediasoupDouble(builder.Build());
        unit._app.Run(unit.TakeAsync);
        await unit._app.StartAsync();
        return unit;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var text = await reader.ReadToEndAsync();
        Asked.Enqueue((context.Request.Path, text));
        await Before(context);
        if (context.Response.HasStarted || context.Response.StatusCode != 200)
        {
            return;
        }

        var body = JsonDocument.Parse(text).RootElement;
        var (status, answer) = Answer(context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries), body);
        context.Response.StatusCode = status;
        await context.Response.WriteAsJsonAsync(answer);
    }

    private (int Status, object Answer) Answer(string[] path, JsonElement body)
    {
        lock (_lock)
        {
            string Of(string name) => body.TryGetProperty(name, out var value) ? value.ToString() : "";
            var room = path[1];
            var exists = _rooms.TryGetValue(room, out var peers);
            switch (path)
            {
                case ["rooms", _, "peers"]:
                    peers = exists ? peers! : _rooms[room] = new(StringComparer.Ordinal);
                    return peers.Add(Of("peerId"))
                        ? (200, new { roomId = room, peerId = Of("peerId"), rtpCapabilities = new { codecs = new[] { new { mimeType = "audio/opus", clockRate = 48000 } } }, peers = peers.Select(peer => new { peerId = peer, email = Of("email") }) })
                        : (400, new { error = "Peer already exists" });
                case ["rooms", _, "peers", var peer, "leave"]:
                    return exists && peers!.Remove(peer) ? (200, new { success = true }) : (404, new { error = "Peer not found" });
                case ["rooms", _, "transports"] when exists && peers!.Contains(Of("peerId")):
                    return (200, new { transportId = New(), iceParameters = new { usernameFragment = "u", password = "p" }, iceCandidates = Array.Empty<int>(), dtlsParameters = new { role = "auto" }, sctpParameters = (object?)null });
                case ["rooms", _, "transports", var transport, "connect"] when exists && _things.Contains(transport):
                    return (200, new { success = true });
                case ["rooms", _, "producers"] when exists && peers!.Contains(Of("peerId")):
                    return (200, new { id = New(), kind = Of("kind"), rtpParameters = body.GetProperty("rtpParameters") });
                case ["rooms", _, "consumers"] when exists && _things.Contains(Of("producerId")):
                    return (200, new { id = New(), producerId = Of("producerId"), kind = "audio", rtpParameters = new { codecs = Array.Empty<int>() } });
                case ["rooms", _, "producers" or "consumers", var thing, "close"] when exists && _things.Remove(thing):
                    return (200, new { success = true });
                default:
                    return (404, new { error = "Not found" });
            }
        }
    }

    private string New()
    {
        var id = $"thing-{++_ids}";
        _things.Add(id);
        return id;
    }
}
