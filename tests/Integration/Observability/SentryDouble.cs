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

namespace Vtp.Integration.Observability;

/// <param name="Item">What the envelope says of what it holds.</param>
public sealed record ReceivedEnvelope(string Path, string Auth, JsonElement Header, JsonElement Item, JsonElement Event, string Text);

/// <summary>Sentry, as far as taking envelopes goes.</summary>
public sealed class SentryDouble : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SentryDouble(WebApplication app) => _app = app;

    public ConcurrentQueue<ReceivedEnvelope> Received { get; } = new();

    /// <summary>200 at once unless a test says otherwise.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public string Dsn => $"{_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single().Replace("://", "://abc123@", StringComparison.Ordinal)}/sentry/42";

    public static async Task<SentryDouble> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var sentry = new SentryDouble(builder.Build());
        sentry._app.Run(sentry.TakeAsync);
        await sentry._app.StartAsync();
        return sentry;
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
        var lines = text.Split('\n');
        Received.Enqueue(new ReceivedEnvelope(
            context.Request.Path, context.Request.Headers["X-Sentry-Auth"].ToString(), Json(lines[0]), Json(lines[1]), Json(lines[2]), text));
        await Answer(context);

        static JsonElement Json(string line) => JsonSerializer.Deserialize<JsonElement>(line);
    }
}
