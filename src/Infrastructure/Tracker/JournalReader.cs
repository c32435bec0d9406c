using System.Data;
using System.Net;
using Npgsql;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Tracker;

/// <summary>What other nodes have written, or all there is, into memory.</summary>
internal static class JournalReader
{
    private const string Peers =
        """
        SELECT id, organization_id, project_id, peer_id, hostname, credential, address, port, origin, registered_at, last_seen_at, is_online,
            bytes_uploaded, bytes_downloaded, removed_at, forgotten_at IS NOT NULL, cleared
        FROM tracker_peers WHERE version > $1 AND ($1 > 0 OR forgotten_at IS NULL) ORDER BY version, id
        """;

    private const string Files =
        """
        SELECT id, organization_id, project_id, hash, name, size, chunk_size, fingerprint, merkle_root, added_by, added_at, seeded_at, forgotten_at IS NOT NULL,
            octet_length(digests) / 32
        FROM tracker_files WHERE version > $1 AND ($1 > 0 OR forgotten_at IS NULL) ORDER BY version, id
        """;

    private const string Members = "SELECT peer, file FROM tracker_members WHERE version > $1";

    private const string LastSeen = "SELECT id, last_seen_at FROM tracker_peers WHERE id = ANY ($1)";

    /// <summary>In one snapshot.</summary>
    public static async Task CatchUpAsync(NpgsqlConnection connection, Memory memory, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await CatchUpInsideAsync(connection, JournalStatements.Head, memory, now, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <param name="connection">In a transaction.</param>
    /// <param name="head">How the version is asked for.</param>
    /// <param name="memory">Is changed.</param>
    /// <param name="now">For files that lost their last seeder.</param>
    /// <param name="cancellationToken">Of the journal.</param>
    public static async Task CatchUpInsideAsync(NpgsqlConnection connection, string head, Memory memory, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (since, version, lastId) = (memory.Version, 0L, 0L);
        await using (var look = new NpgsqlBatch(connection) { BatchCommands = { new(ScopedCommands.SetSystem), new(head) } })
        await using (var reader = await look.ReadAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            (version, lastId) = (reader.GetInt64(0), reader.GetInt64(1));
        }

        if (version > since)
        {
            await using var read = new NpgsqlBatch(connection) { BatchCommands = { Since(Peers, since), Since(Files, since), Since(Members, since) } };
            await using var reader = await read.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                TakePeer(reader, memory, since, now);
            }

            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                TakeFile(reader, memory, now);
            }

            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                if (memory.FindPeer(reader.GetInt64(0)) is { } peer && memory.FindFile(reader.GetInt64(1)) is { } file)
                {
                    peer.Sit(file);
                }
            }
        }

        (memory.Version, memory.LastId) = (version, lastId);
    }

    /// <summary>When other nodes heard of these.</summary>
    public static async Task RefreshAsync(NpgsqlConnection connection, Memory memory, IReadOnlyList<Peer> peers, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new(ScopedCommands.SetSystem), new(LastSeen) } };
        batch.BatchCommands[1].Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. peers.Select(peer => peer.Id)] });
        await using var reader = await batch.ReadAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            memory.FindPeer(reader.GetInt64(0))?.Seen(reader.GetFieldValue<DateTimeOffset>(1));
        }
    }

    private static void TakePeer(NpgsqlDataReader row, Memory memory, long since, DateTimeOffset now)
    {
        var (id, known) = (row.GetInt64(0), memory.FindPeer(row.GetInt64(0)));
        if (row.GetBoolean(15))
        {
            if (known is not null)
            {
                memory.Forget(known, now);
            }

            return;
        }

        var facts = new PeerFacts(
            row.IsDBNull(4) ? null : row.GetString(4),
            row.IsDBNull(5) ? null : row.GetGuid(5),
            row.GetFieldValue<IPAddress>(6),
            row.GetInt32(7),
            row.GetFieldValue<DateTimeOffset>(9),
            row.GetBoolean(11),
            row.GetInt64(12),
            row.GetInt64(13),
            row.IsDBNull(14) ? null : row.GetFieldValue<DateTimeOffset>(14));
        var lastSeen = row.GetFieldValue<DateTimeOffset>(10);
        if (known is null)
        {
            memory.Add(new Peer(id, SwarmOf(row, memory), row.GetString(3), facts, row.GetFieldValue<IPAddress>(8), lastSeen));
            return;
        }

        if (row.GetInt64(16) > since)
        {
            known.RiseFromAll(now);
        }

        known.Seen(lastSeen);
        memory.Replace(known, facts, now);
    }

    private static void TakeFile(NpgsqlDataReader row, Memory memory, DateTimeOffset now)
    {
        var (id, known) = (row.GetInt64(0), memory.FindFile(row.GetInt64(0)));
        if (row.GetBoolean(12))
        {
            if (known is not null)
            {
                memory.Forget(known, now);
            }

            return;
        }

        if (known is null)
        {
            memory.Add(new SharedFile(
                id,
                SwarmOf(row, memory),
                new ContentHash(row.GetFieldValue<byte[]>(3)),
                row.GetString(4),
                row.GetInt64(5),
                row.GetInt32(6),
                row.GetInt32(13),
                new ContentHash(row.GetFieldValue<byte[]>(7)),
                row.IsDBNull(8) ? null : new ContentHash(row.GetFieldValue<byte[]>(8)),
                row.GetString(9),
                row.GetFieldValue<DateTimeOffset>(10),
                row.GetFieldValue<DateTimeOffset>(11)));
        }
    }

    private static Swarm SwarmOf(NpgsqlDataReader row, Memory memory) => memory.Of(new OrganizationId(row.GetGuid(1)), new ProjectId(row.GetGuid(2)));

    private static NpgsqlBatchCommand Since(string sql, long version) => new(sql) { Parameters = { new NpgsqlParameter<long> { TypedValue = version } } };
}
