using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vtp.Application.Operations.Cache;

namespace Vtp.Infrastructure.Caching;

/// <summary>
/// Once the server listens, what was asked for last is read before it is asked for again: by each node, because its memory
/// is its own. Whoever asks meanwhile does not wait for it.
/// </summary>
internal sealed partial class CacheWarmingAtStart(
    CacheWarming warming, CacheOptions options, IHostApplicationLifetime lifetime, ILogger<CacheWarmingAtStart> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.WarmProjects == 0)
        {
            return;
        }

        var listens = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var started = lifetime.ApplicationStarted.Register(listens.SetResult);
        await listens.Task.WaitAsync(stoppingToken);
        try
        {
            var count = await warming.RunAsync(stoppingToken);
            LogWarmed(count);
        }
#pragma warning disable CA1031 // Whatever it is, whoever asks for an answer finds out.
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNotWarmed(exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} projects are at hand")]
    private partial void LogWarmed(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What was asked for last could not be read ahead")]
    private partial void LogNotWarmed(Exception exception);
}
