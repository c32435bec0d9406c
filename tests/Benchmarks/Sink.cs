using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Vtp.Benchmarks;

/// <summary>A receiver that accepts at once and counts; under <c>/dead</c> it never answers.</summary>
internal sealed class Sink : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Lock _lock = new();
    private int _count;
    private int _goal = -1;
    private TaskCompletionSource<long> _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Sink(WebApplication app) => _app = app;

    public string Url => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static async Task<Sink> StartAsync(CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var sink = new Sink(builder.Build());
        sink._app.Run(sink.ReceiveAsync);
        await sink._app.StartAsync(ct);
        return sink;
    }

    /// <returns>When so many more have arrived.</returns>
    public Task<long> Next(int count)
    {
        lock (_lock)
        {
            (_count, _goal, _reached) = (0, count, new(TaskCreationOptions.RunContinuationsAsynchronously));
            return _reached.Task;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private Task ReceiveAsync(HttpContext context)
    {
        if (context.Request.Path == "/dead")
        {
            return Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default);
        }

        lock (_lock)
        {
            if (++_count == _goal)
            {
                _reached.SetResult(Stopwatch.GetTimestamp());
            }
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
