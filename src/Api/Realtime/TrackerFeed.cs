using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Tracker;
using Vtp.Application.Tracker.Relay;

namespace Vtp.Api.Realtime;

/// <summary>
/// Tells everybody who listens at <c>/ws</c> what happens in their project's swarms. Each event is written once, however many
/// hear it; who is too slow to hear is let go, and learns the state anew when they come back.
/// </summary>
internal sealed partial class TrackerFeed(IPeerDirectory peers, IRelay relay, TimeProvider clock, ILogger<TrackerFeed> logger) : BackgroundService
{
    // What a node may be behind; whoever changes a swarm never waits for those who watch.
    private const int MostUntold = 10_000;
    private static readonly TimeSpan StatsEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private static readonly Meter Meter = new(Telemetry.Name);

    private static readonly UpDownCounter<long> Connections =
        Meter.CreateUpDownCounter<long>("vtp.feed.connections", description: "Clients that hear the tracker's events from this node.");

    private readonly Channel<TrackerChange> _changes =
        Channel.CreateBounded<TrackerChange>(new BoundedChannelOptions(MostUntold) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly ConcurrentDictionary<FeedClient, Func<CancellationToken, ValueTask<bool>>> _clients = new();

    /// <summary>From now on the client hears; first of all how things stand.</summary>
    /// <param name="client">Whose queue is served.</param>
    /// <param name="isStillAdmitted">Asked each second.</param>
    public void Join(FeedClient client, Func<CancellationToken, ValueTask<bool>> isStillAdmitted)
    {
        _clients[client] = isStillAdmitted;
        Connections.Add(1);
        client.Offer(StatsFor(client));
    }

    public void Leave(FeedClient client)
    {
        if (_clients.TryRemove(client, out _))
        {
            Connections.Add(-1);
        }
    }

    public void Stop()
    {
        foreach (var client in _clients.Keys)
        {
            client.Close(FeedClose.GoingAway);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var watching = peers.Watch(change =>
        {
            if (!_clients.IsEmpty)
            {
                _changes.Writer.TryWrite(change);
            }
        });
        await Task.WhenAll(TellAsync(stoppingToken), TellStatsAsync(stoppingToken), AdmitAgainAsync(stoppingToken));
    }

    private async Task TellAsync(CancellationToken stoppingToken)
    {
        await foreach (var change in _changes.Reader.ReadAllAsync(stoppingToken))
        {
            byte[]? whole = null, reduced = null;
            var now = clock.GetUtcNow();
            foreach (var client in _clients.Keys.Where(client => client.Seat.Project == change.Project))
            {
                client.Offer(client.Seat.SeesAddresses
                    ? whole ??= FeedFrames.Of(change, now, withAddresses: true)
                    : reduced ??= FeedFrames.Of(change, now, withAddresses: false));
            }
        }
    }

    private async Task TellStatsAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(StatsEvery);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var group in _clients.Keys.GroupBy(client => client.Seat.Project))
            {
                var frame = StatsFor(group.First());
                foreach (var client in group)
                {
                    client.Offer(frame);
                }
            }
        }
    }

    private async Task AdmitAgainAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var (client, isStillAdmitted) in _clients)
            {
                try
                {
                    if (!await isStillAdmitted(stoppingToken))
                    {
                        client.Close(FeedClose.NotAdmitted);
                    }
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    // The database is away, or the client just now: looked at again in a second.
                    LogUnknown(exception);
                }
            }
        }
    }

    private byte[] StatsFor(FeedClient client)
    {
        var project = client.Seat.Project;
        var clients = _clients.Keys.Count(other => other.Seat.Project == project);
        return FeedFrames.Stats(peers.Count(project), relay.Count(project), clients, clock.GetUtcNow());
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Whether clients of the feed may stay could not be looked up; trying again")]
    private partial void LogUnknown(Exception exception);
}
