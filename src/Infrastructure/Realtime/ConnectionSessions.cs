using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Realtime;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Realtime;

/// <summary>In PostgreSQL, whatever carries the messages: a node that is killed has written down what its connections followed.</summary>
internal sealed class ConnectionSessions([FromKeyedServices(Connections.Reads)] NpgsqlDataSource database, RealtimeOptions options) : IConnectionSessions
{
    // Lives are written down this often; a node that was killed has not done so for as long.
    public static readonly TimeSpan TouchedEvery = TimeSpan.FromSeconds(30);

    private const string Save =
        """
        INSERT INTO realtime_sessions (secret_hash, owner, namespace, sid, topics, seen_at) VALUES ($1, $2, $3, $4, $5, clock_timestamp())
        ON CONFLICT (secret_hash) DO UPDATE SET owner = excluded.owner, namespace = excluded.namespace, sid = excluded.sid, topics = excluded.topics, seen_at = excluded.seen_at
        """;

    private const string Find = "SELECT owner, namespace, sid, topics FROM realtime_sessions WHERE secret_hash = $1 AND seen_at > clock_timestamp() - $2";
    private const string Touch = "UPDATE realtime_sessions SET seen_at = clock_timestamp() WHERE secret_hash = ANY ($1)";
    private const string Forget = "DELETE FROM realtime_sessions WHERE secret_hash = $1";
    private const string Trim = "DELETE FROM realtime_sessions WHERE seen_at < clock_timestamp() - $1";

    private TimeSpan Lifetime => options.HistoryFor + TouchedEvery;

    public async Task SaveAsync(ConnectionSession session, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Save);
        command.Parameters.Add(Bytes(session.SecretHash));
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = session.Owner });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = session.Namespace });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = session.Sid });
        command.Parameters.Add(new NpgsqlParameter { Value = JsonSerializer.Serialize(session.Topics, JsonSerializerOptions.Default), NpgsqlDbType = NpgsqlDbType.Json });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<ConnectionSession?> FindAsync(byte[] secretHash, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Find);
        command.Parameters.Add(Bytes(secretHash));
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = Lifetime });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new ConnectionSession(
                secretHash,
                reader.GetString(0),
                reader.GetString(1),
                reader.GetString(2),
                JsonSerializer.Deserialize<JoinedTopic[]>(reader.GetString(3), JsonSerializerOptions.Default)!)
            : null;
    }

    public async Task TouchAsync(IReadOnlyCollection<byte[]> secretHashes, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Touch);
        command.Parameters.Add(new NpgsqlParameter { Value = secretHashes.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task ForgetAsync(byte[] secretHash, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Forget);
        command.Parameters.Add(Bytes(secretHash));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Those that nobody can come back to.</summary>
    public async Task TrimAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Trim);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = Lifetime });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlParameter Bytes(byte[] value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Bytea };
}
