using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vtp.Application.Events;

namespace Vtp.Infrastructure.Realtime;

/// <summary>
/// Follows the log of events on every node, from when somebody there first wants to be told. It needs no other way between
/// nodes: the log is the history, and its positions are the offsets.
/// </summary>
internal sealed partial class EventTail(TopicStore topics, EventReader reader, IEventSignal signal, TimeProvider clock, ILogger<EventTail> logger) : BackgroundService
{
    private const int AtOnce = 500;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private long _head = -1;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await topics.EventsAreWanted.WaitAsync(stoppingToken);
        while (!stoppingToken.IsCancellationRequested)
        {
            var growth = signal.Growth;
            try
            {
                await FollowAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }

            await growth.WaitAsync(Poll, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        if (_head < 0)
        {
            (var epoch, _head, _) = await reader.LookAsync(cancellationToken);
            topics.Begin(isOfEvents: true, epoch, _head);
            topics.Followed(isOfEvents: true);
        }

        for (var count = AtOnce; count == AtOnce;)
        {
            var grown = await reader.ReadAsync(_head, AtOnce, cancellationToken);
            foreach (var (position, publication) in grown)
            {
                topics.Apply(isOfEvents: true, position, publication);
                _head = position;
            }

            count = grown.Count;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The event log could not be followed; trying again each second")]
    private partial void LogFailed(Exception exception);
}
