using Npgsql;
using NpgsqlTypes;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Tracker;

/// <summary>One batch as one transaction, in one round trip.</summary>
internal static class JournalStatements
{
    /// <summary>What <c>tracker_take_turn</c> raises.</summary>
    public const string LostTurn = "VT001";

    public const string Head = "SELECT version, last_id FROM tracker_journal";

    /// <summary>Who holds it is the only one who writes, and knows all once it has read what is behind its version.</summary>
    public const string LockHead = $"{Head} FOR UPDATE";

    /// <summary>$1: the version that it follows; $2: the last id that it gives.</summary>
    private const string TakeTurn = "SELECT tracker_take_turn($1, $2)";

    private const string WritePeers =
        """
        INSERT INTO tracker_peers (id, organization_id, project_id, peer_id, hostname, credential, address, port, origin, registered_at, last_seen_at,
            is_online, bytes_uploaded, bytes_downloaded, removed_at, forgotten_at, cleared, version)
        SELECT id, organization_id, project_id, peer_id, hostname, credential, address, port, origin, registered_at, last_seen_at,
            is_online, bytes_uploaded, bytes_downloaded, removed_at, forgotten_at, CASE WHEN is_cleared THEN $18 ELSE 0 END, $18
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS changed
            (id, organization_id, project_id, peer_id, hostname, credential, address, port, origin, registered_at, last_seen_at,
            is_online, bytes_uploaded, bytes_downloaded, removed_at, forgotten_at, is_cleared)
        ON CONFLICT (id) DO UPDATE SET hostname = excluded.hostname, address = excluded.address, port = excluded.port, origin = excluded.origin,
            last_seen_at = greatest(tracker_peers.last_seen_at, excluded.last_seen_at), is_online = excluded.is_online,
            bytes_uploaded = excluded.bytes_uploaded, bytes_downloaded = excluded.bytes_downloaded, removed_at = excluded.removed_at,
            forgotten_at = excluded.forgotten_at, cleared = greatest(tracker_peers.cleared, excluded.cleared), version = excluded.version
        """;

    private const string WriteFiles =
        """
        INSERT INTO tracker_files (id, organization_id, project_id, hash, name, size, chunk_size, digests, fingerprint, merkle_root, added_by, added_at, seeded_at, version)
        SELECT id, organization_id, project_id, hash, name, size, chunk_size, digests, fingerprint, merkle_root, added_by, $12, $12, $13
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS added
            (id, organization_id, project_id, hash, name, size, chunk_size, digests, fingerprint, merkle_root, added_by)
        """;

    private const string ForgetFiles = "UPDATE tracker_files SET forgotten_at = $2, version = $3 WHERE id = ANY ($1)";

    private const string ClearPeers = "DELETE FROM tracker_members WHERE peer = ANY ($1)";

    private const string ClearFiles = "DELETE FROM tracker_members USING unnest($1, $2) AS gone (peer, file) WHERE tracker_members.peer = gone.peer AND tracker_members.file = gone.file";

    private const string WriteMembers =
        """
        INSERT INTO tracker_members (peer, file, organization_id, project_id, version)
        SELECT peer, file, organization_id, project_id, $5 FROM unnest($1, $2, $3, $4) AS added (peer, file, organization_id, project_id)
        ON CONFLICT DO NOTHING
        """;

    // As the log's own writer does it; see there.
    private const string WriteEvents =
        """
        INSERT INTO events (id, type, organization_id, project_id, subject, data, actor_type, actor_id, trace_id, traceparent, occurred_at)
        SELECT id, type, organization_id, project_id, subject, data::json, actor_type, actor_id, trace_id, traceparent, $11
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) WITH ORDINALITY
            AS added (id, type, organization_id, project_id, subject, data, actor_type, actor_id, trace_id, traceparent, place)
        ORDER BY place
        """;

    /// <summary>$1: peers; $2: when each was heard of last.</summary>
    private const string WriteSeen =
        """
        UPDATE tracker_peers SET last_seen_at = seen.at FROM unnest($1, $2) AS seen (id, at)
        WHERE tracker_peers.id = seen.id AND last_seen_at < seen.at
        """;

    /// <summary>$1: files that have seeders, or had them until a time; $2: when.</summary>
    private const string WriteSeeded = "UPDATE tracker_files SET seeded_at = seeded.at FROM unnest($1, $2) AS seeded (id, at) WHERE tracker_files.id = seeded.id";

    private const string PurgePeers = "DELETE FROM tracker_peers WHERE forgotten_at < $1";

    private const string PurgeFiles = "DELETE FROM tracker_files WHERE forgotten_at < $1";

    public static NpgsqlBatch Seen(NpgsqlConnection connection, Peer[] peers) => System(
        connection,
        Command(WriteSeen, Column(peers, peer => peer.Id), Column(peers, peer => peer.LastSeen)));

    public static NpgsqlBatch Upkeep(NpgsqlConnection connection, SharedFile[] seeded, DateTimeOffset now, DateTimeOffset purgeBefore) => System(
        connection,
        Command(WriteSeeded, Column(seeded, file => file.Id), Column(seeded, file => file.Seeders > 0 ? now : file.SeededAt)),
        Command(PurgePeers, Value(purgeBefore)),
        Command(PurgeFiles, Value(purgeBefore)));

    public static NpgsqlBatch Write(NpgsqlConnection connection, Batch batch)
    {
        var command = System(connection, Command(TakeTurn, Value(batch.Version - 1), Value(batch.LastId)));
        var peers = batch.Peers.ToArray();
        AddPeers(command, batch, [.. peers.Where(peer => peer.IsChanged && !(peer.IsNew && peer.Facts is null))]);
        AddFiles(command, batch);
        AddMembers(command, batch, peers);
        AddEvents(command, batch);
        return command;
    }

    private static void AddPeers(NpgsqlBatch command, Batch batch, PlannedPeer[] peers)
    {
        if (peers.Length == 0)
        {
            return;
        }

        // What is forgotten keeps its last facts.
        var facts = Array.ConvertAll(peers, peer => peer.Facts ?? peer.Peer.Facts);
        command.BatchCommands.Add(Command(
            WritePeers,
            Column(peers, peer => peer.Peer.Id),
            Column(peers, peer => peer.Peer.Swarm.Organization.Value),
            Column(peers, peer => peer.Peer.Swarm.Project.Value),
            Column(peers, peer => peer.Peer.Name),
            Column(facts, fact => fact.Hostname),
            Column(facts, fact => fact.Credential),
            Inet(Array.ConvertAll(facts, fact => fact.Address)),
            Column(facts, fact => fact.Port),
            Inet(Array.ConvertAll(peers, peer => peer.Peer.Origin)),
            Column(facts, fact => fact.RegisteredAt),
            Column(peers, peer => peer.Peer.LastSeen),
            Column(peers, peer => peer.Facts is { IsOnline: true }),
            Column(facts, fact => fact.Uploaded),
            Column(facts, fact => fact.Downloaded),
            Column(facts, fact => fact.RemovedAt),
            Column(peers, peer => peer.Facts is null ? batch.Now : (DateTimeOffset?)null),
            Column(peers, peer => peer.IsCleared),
            Value(batch.Version)));
    }

    private static void AddFiles(NpgsqlBatch command, Batch batch)
    {
        PlannedFile[] added = [.. batch.Files.Where(file => file.Manifest is not null && !file.IsForgotten)];
        if (added.Length > 0)
        {
            command.BatchCommands.Add(Command(
                WriteFiles,
                Column(added, file => file.File.Id),
                Column(added, file => file.File.Swarm.Organization.Value),
                Column(added, file => file.File.Swarm.Project.Value),
                Bytes(Array.ConvertAll(added, file => file.File.Hash.ToBytes())),
                Column(added, file => file.File.Name),
                Column(added, file => file.File.Size),
                Column(added, file => file.File.ChunkSize),
                new NpgsqlParameter { Value = Array.ConvertAll(added, file => file.Manifest!.Chunks.Bytes), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
                Bytes(Array.ConvertAll(added, file => file.File.Fingerprint.ToBytes())),
                Bytes(Array.ConvertAll(added, file => file.File.MerkleRoot?.ToBytes())),
                Column(added, file => file.File.AddedBy),
                Value(batch.Now),
                Value(batch.Version)));
        }

        PlannedFile[] forgotten = [.. batch.Files.Where(file => file.Manifest is null && file.IsForgotten)];
        if (forgotten.Length > 0)
        {
            var files = Array.ConvertAll(forgotten, file => file.File);
            command.BatchCommands.Insert(command.BatchCommands.Count - (added.Length > 0 ? 1 : 0), Command(ForgetFiles, Column(files, file => file.Id), Value(batch.Now), Value(batch.Version)));
            (long Peer, long File)[] gone = [.. files.SelectMany(file => file.Swarm.Peers.Values.Where(peer => peer.FilesShared > 0 && peer.Holds(file)).Select(peer => (peer.Id, file.Id)))];
            command.BatchCommands.Add(Command(ClearFiles, Column(gone, one => one.Peer), Column(gone, one => one.File)));
        }
    }

    private static void AddMembers(NpgsqlBatch command, Batch batch, PlannedPeer[] peers)
    {
        long[] cleared = [.. peers.Where(peer => peer.IsCleared && !peer.IsNew).Select(peer => peer.Peer.Id)];
        if (cleared.Length > 0)
        {
            command.BatchCommands.Add(Command(ClearPeers, new NpgsqlParameter<long[]> { TypedValue = cleared }));
        }

        (Peer Peer, SharedFile File)[] added = [.. peers.SelectMany(peer => peer.Seats, (peer, file) => (peer.Peer, file))];
        if (added.Length > 0)
        {
            command.BatchCommands.Add(Command(
                WriteMembers,
                Column(added, seat => seat.Peer.Id),
                Column(added, seat => seat.File.Id),
                Column(added, seat => seat.Peer.Swarm.Organization.Value),
                Column(added, seat => seat.Peer.Swarm.Project.Value),
                Value(batch.Version)));
        }
    }

    private static void AddEvents(NpgsqlBatch command, Batch batch)
    {
        PlannedEvent[] events = [.. batch.Events];
        if (events.Length > 0)
        {
            command.BatchCommands.Add(Command(
                WriteEvents,
                Column(events, one => one.Id),
                Column(events, one => one.Type),
                Column(events, one => one.Organization.Value),
                Column(events, one => one.Project.Value),
                Column(events, one => one.Subject),
                Column(events, one => one.Data),
                Column(events, one => one.Actor.Type.ToString().ToLowerInvariant()),
                Column(events, one => one.Actor.Id),
                Column(events, one => one.Actor.TraceId),
                Column(events, one => one.Actor.TraceParent),
                Value(batch.Now)));
        }
    }

    private static NpgsqlBatch System(NpgsqlConnection connection, params NpgsqlBatchCommand[] commands)
    {
        var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(ScopedCommands.SetSystem));
        foreach (var command in commands)
        {
            batch.BatchCommands.Add(command);
        }

        return batch;
    }

    private static NpgsqlBatchCommand Command(string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        return command;
    }

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    private static NpgsqlParameter<T[]> Column<TRow, T>(TRow[] rows, Func<TRow, T> value)
    {
        var column = new T[rows.Length];
        for (var index = 0; index < rows.Length; index++)
        {
            column[index] = value(rows[index]);
        }

        return new NpgsqlParameter<T[]> { TypedValue = column };
    }

    private static NpgsqlParameter Inet(global::System.Net.IPAddress[] addresses) =>
        new() { Value = addresses, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Inet };

    private static NpgsqlParameter Bytes(byte[]?[] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };
}
