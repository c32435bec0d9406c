using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.SocketIo;

/// <summary>
/// Each second: sockets whose credential is worth nothing any more are ended. Twice a minute: so are those that may no longer
/// follow what they do, in case nobody told of the change, and what the others follow is marked as still in use.
/// </summary>
internal sealed partial class SocketSweep(SocketServices services, TimeProvider clock, ILogger<SocketSweep> logger) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(25);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(RepeatAsync(LookEvery, LookAsync, stoppingToken), RepeatAsync(AskEvery, AskAsync, stoppingToken));

    private async Task RepeatAsync(TimeSpan period, Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await work(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var socket in services.Sockets)
        {
            if (socket.Caller is { } caller && !await services.Credentials.IsGoodAsync(caller, cancellationToken))
            {
                socket.Disconnect(Refusal.Unauthenticated);
            }
        }
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        var living = new List<byte[]>();
        foreach (var socket in services.Sockets)
        {
            if (socket.Topics is not { Count: > 0 } topics)
            {
                continue;
            }

            if (!await socket.Space.MayGoOnAsync(socket, topics, cancellationToken))
            {
                socket.Disconnect(Refusal.Forbidden);
            }
            else if (socket.Secret is { } secret)
            {
                living.Add(Socket.HashOf(secret));
            }
        }

        if (living.Count > 0)
        {
            await services.Sessions.TouchAsync(living, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sockets could not be looked after; trying again in a second")]
    private partial void LogFailed(Exception exception);
}
