using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Domain.Tracker;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Tracker;

/// <summary>
/// Looks every few seconds for what time has done to peers and files, and hands it to the journal. A look costs a glance at
/// each peer, in memory; only what is due costs more.
/// </summary>
internal sealed partial class Sweeper(NpgsqlDataSource database, Memory memory, Journal journal, TimeProvider clock, ILogger<Sweeper> logger) : BackgroundService
{
    // So many at once, so that those who announce need not wait for a whole school that goes home.
    private const int DueAtOnce = 500;

    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan UpkeepEvery = TimeSpan.FromHours(1);

    /// <summary>Exact enough for what counts days.</summary>
    private static readonly TimeSpan SeededIsExactTo = TimeSpan.FromHours(6);

    /// <summary>Peers could not be heard while the server or its database was away: for so long none of them is called silent.</summary>
    private static readonly TimeSpan Grace = Liveness.HeartbeatEvery + TimeSpan.FromSeconds(15);

    private DateTimeOffset _upkeepAt;

    /// <returns>How many peers and files are due.</returns>
    public int Sweep()
    {
        var now = clock.GetUtcNow();
        if (journal.AnswersSince is not { } since || now - since < Grace)
        {
            return 0;
        }

        var (peers, files) = Due(memory, now);
        foreach (var some in peers.Chunk(DueAtOnce))
        {
            journal.TryAdd(new SweepChange(some, []));
        }

        foreach (var some in files.Chunk(DueAtOnce))
        {
            journal.TryAdd(new SweepChange([], some));
        }

        return peers.Count + files.Count;
    }

    /// <summary>What looks silent, or unwanted, to this node.</summary>
    internal static (List<Peer> Peers, List<SharedFile> Files) Due(Memory memory, DateTimeOffset now)
    {
        var (peers, files) = (new List<Peer>(), new List<SharedFile>());
        foreach (var swarm in memory.Swarms)
        {
            foreach (var (_, peer) in swarm.Peers)
            {
                if (SweepChange.IsDue(peer.Facts, peer.LastSeen, now))
                {
                    peers.Add(peer);
                }
            }

            foreach (var file in swarm.NewestFirst())
            {
                if (SweepChange.IsDue(file, now))
                {
                    files.Add(file);
                }
            }
        }

        return (peers, files);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pace);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                Sweep();
                if (clock.GetUtcNow() >= _upkeepAt)
                {
                    await UpkeepAsync(stoppingToken);
                    _upkeepAt = clock.GetUtcNow() + UpkeepEvery;
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    /// <summary>Notes which files are seeded, and clears what was forgotten long ago.</summary>
    private async Task UpkeepAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        SharedFile[] seeded = [.. memory.Swarms.SelectMany(swarm => swarm.NewestFirst())
            .Where(file => (file.Seeders > 0 ? now : file.SeededAt) - file.SeededAtOnDisk > SeededIsExactTo)];
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var upkeep = JournalStatements.Upkeep(connection, seeded, now, now - Liveness.RememberedFor);
        await upkeep.ExecuteNonQueryAsync(cancellationToken);
        foreach (var file in seeded)
        {
            file.SeededAtOnDisk = now;
        }

        await using var projects = database.CreateSystemCommand("SELECT coalesce(array_agg(id), '{}') FROM projects");
        await using var reader = await projects.ReadAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        journal.TryAdd(new PurgedProjectsChange(memory, [.. reader.GetFieldValue<Guid[]>(0)]));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The swarms could not be swept; trying again")]
    private partial void LogFailed(Exception exception);
}
