using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vtp.Application.Rooms.Signaling;

namespace Vtp.Infrastructure.Rooms;

/// <summary>
/// Says every few seconds that this node lives, and clears away after nodes that do not: their places are free within forty
/// seconds, and the media server hears of it. So it does of recordings whose room is over.
/// </summary>
internal sealed partial class SignalingUpkeep(
    SignalingRooms rooms, RoomRecordings recordings, ISelectiveForwardingUnit sfu, SignalingOptions options, TimeProvider clock, ILogger<SignalingUpkeep> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(8);

    // A media server, when it is asked to record.
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromMinutes(1);

    // Whoever could stop a recording that began so long ago is gone from the configuration.
    private static readonly TimeSpan LongestLesson = TimeSpan.FromDays(1);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await rooms.StopAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            LogStays(exception); // Until the others find it dead.
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        do
        {
            try
            {
                var buried = await rooms.SignAsync(options.IdleRoomsFor, stoppingToken);

                // At once: a slow media server must not keep this node from its next sign.
                await Task.WhenAll([.. buried.Select(one => sfu.LeaveAsync(one.Room, one.SocketId, stoppingToken)), StopRecordingsAsync(stoppingToken)]);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>A room that is over is recorded no more. What the media server cannot be told now it is told the next time.</summary>
    private async Task StopRecordingsAsync(CancellationToken cancellationToken)
    {
        foreach (var left in await recordings.LeftAsync(cancellationToken))
        {
            var now = clock.GetUtcNow();
            var isStopped = left.Egress is null ? left.StartedAt < now - AnswersWithin : await sfu.StopRecordingAsync(left.Egress, cancellationToken) is null;
            if (isStopped || left.StartedAt < now - LongestLesson)
            {
                await recordings.EndAsync(left, now, cancellationToken);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "This node could not say that its live rooms go on; trying again shortly")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Places of this node's sockets stay behind for half a minute")]
    private partial void LogStays(Exception exception);
}
