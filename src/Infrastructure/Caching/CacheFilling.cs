using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vtp.Application.Common;
using Vtp.Application.Operations.Cache;
using Vtp.Infrastructure.Notices;

namespace Vtp.Infrastructure.Caching;

/// <summary>
/// Reads into this node's memory what was asked for last, whenever the job that does so for all has ended, and whenever this
/// node has begun to hear of removals, for then it has forgotten everything. Once the server listens it asks for the job:
/// by starting it has made all nodes forget. Whoever asks for an answer meanwhile does not wait for this.
/// </summary>
internal sealed partial class CacheFilling(
    CacheFillWakes told, CacheWarming warming, CacheOptions options, IServiceScopeFactory scopes, IHostApplicationLifetime lifetime, ILogger<CacheFilling> logger)
    : BackgroundService
{
    /// <summary>What is told when nodes shall do it.</summary>
    public const string Channel = "!fill";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.WarmProjects == 0)
        {
            return;
        }

        var listens = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var started = lifetime.ApplicationStarted.Register(listens.SetResult);
        await listens.Task.WaitAsync(stoppingToken);
        await TryAsync(AskAsync, stoppingToken);
        while (true)
        {
            await told.WaitAsync(stoppingToken);
            await TryAsync(FillAsync, stoppingToken);
        }
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IVtpDb>();
        FillCacheCommand.Enqueue(db);
        await db.SaveChangesAsync(cancellationToken);
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        var count = await warming.RunAsync(cancellationToken);
        LogFilled(count);
    }

    private async Task TryAsync(Func<CancellationToken, Task> attempt, CancellationToken stoppingToken)
    {
        try
        {
            await attempt(stoppingToken);
        }
#pragma warning disable CA1031 // Whatever it is, whoever asks for an answer finds out.
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNotFilled(exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} projects are at hand")]
    private partial void LogFilled(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What was asked for last could not be read ahead")]
    private partial void LogNotFilled(Exception exception);
}

internal sealed class CacheFillWakes : Wakes;
