using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vtp.Application.Rooms.Signaling;

namespace Vtp.Infrastructure.Rooms;

/// <summary>
/// Says every few seconds that this node lives, and clears away after nodes that do not: their places are free within forty
/// seconds, and the media server hears of it.
/// </summary>
internal sealed partial class SignalingUpkeep(
    SignalingRooms rooms, ISelectiveForwardingUnit sfu, SignalingOptions options, TimeProvider clock, ILogger<SignalingUpkeep> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(8);

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
                await Task.WhenAll(buried.Select(one => sfu.LeaveAsync(one.Room, one.SocketId, stoppingToken)));
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "This node could not say that its live rooms go on; trying again shortly")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Places of this node's sockets stay behind for half a minute")]
    private partial void LogStays(Exception exception);
}
