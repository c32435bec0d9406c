using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Vtp.Application.Tracker.Relay;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Infrastructure.Relay;

/// <summary>The links of this node: a message finds its target here, or goes to the node that has it.</summary>
public sealed partial class RelayHub : BackgroundService, IRelay
{
    // How soon a node that was full of messages is looked at again, and one whose shares may have grown.
    internal static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(20);
    internal static readonly TimeSpan LongBreath = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<RelayPeer, RelayLink> _links = new();
    private readonly ConcurrentDictionary<RelayLink, Func<RelaySeat, CancellationToken, ValueTask<RelaySeat?>>> _admissions = new();
    private readonly ConcurrentDictionary<ProjectId, RelayTally> _tallies = new();
    private readonly RelayMesh _mesh;
    private readonly ILogger<RelayHub> _logger;
    private bool _isStopping;

    internal RelayHub(RelayMesh mesh, IOptions<RelayOptions> options, TimeProvider clock, ILogger<RelayHub> logger)
    {
        (_mesh, Options, Clock, _logger) = (mesh, options.Value, clock, logger);
        Memory = new RelayMemory(Options.MaximumMemory);
        mesh.Serve(this);
    }

    internal RelayOptions Options { get; }

    internal TimeProvider Clock { get; }

    internal RelayMemory Memory { get; }

    public int Count(ProjectId project) => _tallies.TryGetValue(project, out var tally) ? tally.Links : 0;

    public RelayTraffic TrafficOf(ProjectId project) => _tallies.TryGetValue(project, out var tally) ? tally.Traffic : default;

    public async Task<IReadOnlyList<string>> PeersAsync(ProjectId project, CancellationToken cancellationToken) =>
    [
        .. _links.Keys.Where(peer => peer.Project == project).Select(peer => peer.PeerId)
            .Union(await _mesh.PeersAsync(project, cancellationToken), StringComparer.Ordinal),
    ];

    /// <summary>
    /// The registered peer takes the place of whoever has its id, on any node; somebody who only asks for chunks takes that
    /// of an older connection of their own.
    /// </summary>
    /// <param name="seat">As admitted.</param>
    /// <param name="admit">Asked each second, as whom it takes part now; null when it may not any more.</param>
    public Result<RelayLink> Join(RelaySeat seat, Func<RelaySeat, CancellationToken, ValueTask<RelaySeat?>> admit)
    {
        var link = new RelayLink(this, seat, _tallies.GetOrAdd(seat.Project, static _ => new RelayTally()));
        _admissions[link] = admit;
        while (true)
        {
            if (Volatile.Read(ref _isStopping))
            {
                _admissions.TryRemove(link, out _);
                return RelayRefusals.GoingAway;
            }

            if (_links.TryAdd(link.Peer, link))
            {
                break;
            }

            if (!_links.TryGetValue(link.Peer, out var older))
            {
                continue;
            }

            if (!seat.IsPeer && !(older.Seat is { IsPeer: false } && seat.IsCallerOf(older.Seat)))
            {
                _admissions.TryRemove(link, out _);
                return RelayRefusals.Taken;
            }

            older.Close(RelayClose.Replaced);
        }

        link.Tally.Joined();
        _mesh.Hold(link.Peer, link.Id);
        if (Volatile.Read(ref _isStopping))
        {
            link.Close(RelayClose.GoingAway); // Whoever closed all of them may not have seen this one.
        }

        return link;
    }

    internal void Leave(RelayLink link)
    {
        _admissions.TryRemove(link, out _);
        if (_links.TryRemove(KeyValuePair.Create(link.Peer, link)))
        {
            link.Tally.Left();
            _mesh.Release(link.Peer, link.Id);
        }
    }

    internal void Route(RelayLink sender, string to, RelayMessage message)
    {
        var target = new RelayPeer(sender.Peer.Project, to);
        if (!Offer(target, message))
        {
            _mesh.Forward(sender, target, message);
        }
    }

    /// <returns>False: it is not connected here.</returns>
    internal bool Offer(RelayPeer target, RelayMessage message) => _links.TryGetValue(target, out var link) && link.Offer(message);

    /// <summary>The peer has connected to another node, if that is not this link of it.</summary>
    internal void Replaced(RelayPeer peer, Guid by)
    {
        if (_links.TryGetValue(peer, out var link) && link.Id != by)
        {
            link.Close(RelayClose.Replaced);
        }
    }

    /// <summary>What is still held, for a node that had been taken for dead.</summary>
    internal IEnumerable<(RelayPeer Peer, Guid Link)> Held() => _links.Values.Select(link => (link.Peer, link.Id));

    /// <summary>No more links; those that there are get what waits for them and are told to go elsewhere.</summary>
    public void Stop()
    {
        Volatile.Write(ref _isStopping, true);
        foreach (var link in _links.Values)
        {
            link.Close(RelayClose.GoingAway);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var now = Clock.GetTimestamp();
            foreach (var link in _links.Values)
            {
                link.Look(now);
            }

            await AdmitAgainAsync(stoppingToken);
        }
    }

    private async Task AdmitAgainAsync(CancellationToken stoppingToken)
    {
        foreach (var (link, admit) in _admissions)
        {
            try
            {
                if (await admit(link.Seat, stoppingToken) is { } seat && seat.Project == link.Seat.Project)
                {
                    link.Seat = seat;
                }
                else
                {
                    link.Close(RelayClose.NotAdmitted);
                }
            }
            catch (Exception exception) when (link.Closing.IsCompleted)
            {
                LogUnknown(exception); // Its connection has ended meanwhile.
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The database is away: nobody can tell, and a moment's outage must not end every transfer.
                LogUnknown(exception);
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Whether peers at the relay may stay could not be looked up; trying again")]
    private partial void LogUnknown(Exception exception);
}

internal static class RelayRefusals
{
    public static readonly Refusal Taken = new(RefusalKind.Conflict, "relay.taken", "Somebody else is connected under this id.");

    public static readonly Refusal GoingAway = new(RefusalKind.Busy, "relay.going_away", "The server is going away. Connect anew.") { RetryAfter = TimeSpan.FromSeconds(1) };
}
