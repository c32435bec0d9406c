using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vtp.Application.Rooms.Signaling;

namespace Vtp.Infrastructure.Rooms;

/// <summary>
/// Has the media server stop what it records of rooms that are over, and what was stopped here while it did not answer. Every
/// node does, and the media server is told as often as it takes.
/// </summary>
internal sealed partial class RecordingUpkeep(RoomRecordings recordings, ISelectiveForwardingUnit sfu, TimeProvider clock, ILogger<RecordingUpkeep> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(4);

    // Whoever could stop a recording that began so long ago is gone from the configuration.
    private static readonly TimeSpan LongestLesson = TimeSpan.FromDays(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var now = clock.GetUtcNow();
                await Parallel.ForEachAsync(
                    await recordings.LookAsync(now, stoppingToken),
                    new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = stoppingToken },
                    async (left, stopping) =>
                    {
                        if (await sfu.StopRecordingAsync(left.Egress!, stopping) is null || left.StartedAt < now - LongestLesson)
                        {
                            await recordings.EndAsync(left, now, isStopped: true, stopping);
                        }
                    });
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Recordings of rooms that are over could not be stopped; trying again shortly")]
    private partial void LogFailed(Exception exception);
}
