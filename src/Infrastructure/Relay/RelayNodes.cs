using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Application.Tracker.Relay;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Notices;

namespace Vtp.Infrastructure.Relay;

/// <summary>
/// Which nodes there are and which of them each peer is connected to, in PostgreSQL. A node that has given no sign of life for
/// ten seconds is gone, and its links with it. What is looked up is remembered until the node in question says otherwise.
/// </summary>
internal sealed partial class RelayNodes(NpgsqlDataSource database, ILogger<RelayNodes> logger) : BackgroundService
{
    /// <summary>Says that there is another node.</summary>
    public const string Channel = "vtp_relay_nodes";

    private const int MostRemembered = 100_000;
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(2);

    // By the database's clock alone, so that no two clocks are compared.
    private const string Alive = "seen_at >= clock_timestamp() - interval '10 seconds'";

    private const string Sign =
        $"""
        WITH gone AS (DELETE FROM relay_nodes WHERE NOT ({Alive}) AND id <> $1),
        kept AS (
            INSERT INTO relay_nodes (id, seen_at) VALUES ($1, clock_timestamp())
            ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at RETURNING xmax = 0 AS is_new)
        SELECT is_new, ARRAY(SELECT id FROM relay_nodes WHERE id <> $1 AND {Alive}) FROM kept
        """;

    private const string Find =
        $"""
        SELECT node_id FROM relay_links JOIN relay_nodes ON id = node_id
        WHERE project_id = $1 AND peer_id = $2 AND {Alive}
        """;

    private const string OfProject = $"SELECT peer_id FROM relay_links JOIN relay_nodes ON id = node_id WHERE project_id = $1 AND {Alive}";

    /// <summary>Answers who had them until now.</summary>
    private const string HoldAll =
        """
        WITH held AS (SELECT * FROM unnest($2, $3, $4) AS held (project_id, peer_id, link_id)),
        before AS (
            SELECT old.node_id, project_id, peer_id, held.link_id FROM relay_links old JOIN held USING (project_id, peer_id) WHERE old.node_id <> $1),
        written AS (
            INSERT INTO relay_links (project_id, peer_id, node_id, link_id) SELECT project_id, peer_id, $1, link_id FROM held
            ON CONFLICT (project_id, peer_id) DO UPDATE SET node_id = excluded.node_id, link_id = excluded.link_id)
        SELECT * FROM before
        """;

    private const string ReleaseAll =
        """
        DELETE FROM relay_links USING unnest($1, $2, $3) AS released (project_id, peer_id, link_id)
        WHERE relay_links.project_id = released.project_id AND relay_links.peer_id = released.peer_id AND relay_links.link_id = released.link_id
        """;

    private readonly Lock _lock = new();
    private readonly Wakes _changes = new();
    private readonly Wakes _signs = new();
    private readonly ConcurrentDictionary<RelayPeer, Guid> _known = new();
    private Dictionary<RelayPeer, (Guid Link, bool IsHeld)> _pending = [];
    private HashSet<Guid> _others = [];

    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>All links of this node.</summary>
    public Func<IEnumerable<(RelayPeer Peer, Guid Link)>> Held { get; set; } = () => [];

    /// <summary>The node had the peer until this link of ours.</summary>
    public Action<Guid, RelayPeer, Guid> Replaced { get; set; } = (_, _, _) => { };

    public Action<Guid> Gone { get; set; } = _ => { };

    /// <summary>There is no other node, as far as was heard.</summary>
    public bool IsAlone => Volatile.Read(ref _others).Count == 0;

    public void WakeSigns() => _signs.Wake();

    public void Hold(RelayPeer peer, Guid link)
    {
        lock (_lock)
        {
            _pending[peer] = (link, true);
        }

        _known.TryRemove(peer, out _);
        _changes.Wake();
    }

    public void Release(RelayPeer peer, Guid link)
    {
        lock (_lock)
        {
            if (_pending.TryGetValue(peer, out var newer) && newer.Link != link)
            {
                return; // It was replaced before it was given up.
            }

            _pending[peer] = (link, false);
        }

        _changes.Wake();
    }

    public void Learn(RelayPeer peer, Guid node)
    {
        if (_known.Count >= MostRemembered)
        {
            _known.Clear();
        }

        _known[peer] = node;
    }

    public void Forget(RelayPeer peer) => _known.TryRemove(peer, out _);

    /// <param name="isSure">What is remembered does not count.</param>
    public async ValueTask<Guid?> FindAsync(RelayPeer peer, bool isSure, CancellationToken cancellationToken)
    {
        if (!isSure && _known.TryGetValue(peer, out var known) && Volatile.Read(ref _others).Contains(known))
        {
            return known;
        }

        await using var command = database.CreateCommand(Find);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = peer.Project.Value });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = peer.PeerId });
        if (await command.ExecuteScalarAsync(cancellationToken) is not Guid node)
        {
            return null;
        }

        Learn(peer, node);
        return node;
    }

    public async Task<IReadOnlyList<string>> PeersAsync(ProjectId project, CancellationToken cancellationToken)
    {
        if (IsAlone)
        {
            return [];
        }

        await using var command = database.CreateCommand(OfProject);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = project.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var peers = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            peers.Add(reader.GetString(0));
        }

        return peers;
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await GiveSignAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await using var command = database.CreateCommand("DELETE FROM relay_nodes WHERE id = $1");
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Id });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException or OperationCanceledException)
        {
            LogFailed(exception); // The others find out within ten seconds.
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        LoopAsync(GiveSignAsync, _signs, stoppingToken), LoopAsync(WriteAsync, _changes, stoppingToken));

    private async Task LoopAsync(Func<CancellationToken, Task> work, Wakes wakes, CancellationToken stoppingToken)
    {
        while (true)
        {
            await wakes.WaitAsync(Pace, stoppingToken);
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

    private async Task GiveSignAsync(CancellationToken cancellationToken)
    {
        bool isNew;
        HashSet<Guid> others;
        await using (var command = database.CreateCommand(Sign))
        {
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Id });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            (isNew, others) = (reader.GetBoolean(0), [.. reader.GetFieldValue<Guid[]>(1)]);
        }

        foreach (var gone in Interlocked.Exchange(ref _others, others).Except(others))
        {
            Gone(gone);
        }

        if (isNew)
        {
            // At the start, and when the others took this node for dead and forgot what it holds.
            foreach (var (peer, link) in Held())
            {
                Hold(peer, link);
            }

            await using var notice = database.CreateCommand($"SELECT pg_notify('{Channel}', '')");
            await notice.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        Dictionary<RelayPeer, (Guid Link, bool IsHeld)> taken;
        lock (_lock)
        {
            (taken, _pending) = (_pending, []);
        }

        if (taken.Count == 0)
        {
            return;
        }

        try
        {
            await WriteAsync(taken.Where(one => one.Value.IsHeld).ToList(), taken.Where(one => !one.Value.IsHeld).ToList(), cancellationToken);
        }
        catch
        {
            lock (_lock)
            {
                foreach (var (peer, state) in taken)
                {
                    _pending.TryAdd(peer, state);
                }
            }

            throw;
        }
    }

    private async Task WriteAsync(
        List<KeyValuePair<RelayPeer, (Guid Link, bool)>> held, List<KeyValuePair<RelayPeer, (Guid Link, bool)>> released, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        var hold = new NpgsqlBatchCommand(HoldAll) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = Id } } };
        hold.Parameters.AddRange(Columns(held));
        var release = new NpgsqlBatchCommand(ReleaseAll);
        release.Parameters.AddRange(Columns(released));
        batch.BatchCommands.Add(hold);
        batch.BatchCommands.Add(release);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            Replaced(reader.GetGuid(0), new RelayPeer(new ProjectId(reader.GetGuid(1)), reader.GetString(2)), reader.GetGuid(3));
        }
    }

    private static NpgsqlParameter[] Columns(List<KeyValuePair<RelayPeer, (Guid Link, bool)>> links)
    {
        // Always in one order, so that two nodes that write the same ones do not wait for each other.
        var sorted = links.OrderBy(one => one.Key.Project.Value).ThenBy(one => one.Key.PeerId, StringComparer.Ordinal).ToList();
        return
        [
            new NpgsqlParameter<Guid[]> { TypedValue = [.. sorted.Select(one => one.Key.Project.Value)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. sorted.Select(one => one.Key.PeerId)] },
            new NpgsqlParameter<Guid[]> { TypedValue = [.. sorted.Select(one => one.Value.Link)] },
        ];
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Which node has which peer of the relay could not be written or read; trying again")]
    private partial void LogFailed(Exception exception);
}
