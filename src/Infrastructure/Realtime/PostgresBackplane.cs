using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Realtime;
using Vtp.Infrastructure.Notices;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Realtime;

/// <summary>
/// The log as an unlogged table: a commit waits for no disk, and what a crash of PostgreSQL takes away takes the epoch with
/// it. NOTIFY carries what is small; what is larger is read.
/// </summary>
internal sealed class PostgresBackplane([FromKeyedServices(Connections.Reads)] NpgsqlDataSource database, RealtimeOptions options) : IBackplane
{
    public const string Channel = "vtp_realtime";

    // A notification carries less than 8000 bytes.
    private const int LargestNotice = 7_600;

    // Whoever appends holds the one row until the commit, so that offsets have the order of the commits. $1: the messages;
    // $2: the epoch, should there be none; $3: them once more as text, or nothing when they are too many.
    private const string Append =
        """
        WITH head AS (
            INSERT INTO realtime_log (is_only, epoch, position) VALUES (true, $2, cardinality($1))
            ON CONFLICT (is_only) DO UPDATE SET position = realtime_log.position + cardinality($1)
            RETURNING epoch, position - cardinality($1) AS before
        ), added AS (
            INSERT INTO realtime_messages (position, message, recorded_at)
            SELECT before + place, message, clock_timestamp() FROM head, unnest($1) WITH ORDINALITY AS appended (message, place)
        )
        SELECT epoch, before, pg_notify('vtp_realtime', 'a ' || epoch || ' ' || before || ' ' || $3) FROM head
        """;

    private const string Send = "SELECT pg_notify('vtp_realtime', 's ' || message) FROM unnest($1) AS message";

    private const string Look =
        """
        WITH begun AS (INSERT INTO realtime_log (is_only, epoch, position) SELECT true, $1, 0 WHERE NOT EXISTS (SELECT FROM realtime_log) ON CONFLICT DO NOTHING)
        SELECT epoch, position, coalesce((SELECT min(position) - 1 FROM realtime_messages), position) FROM realtime_log
        """;

    // Each epoch begins at 0 with no message: what is there is of this one.
    private const string Read = "SELECT position, message FROM realtime_messages WHERE position > $1 ORDER BY position LIMIT $2";

    private const string Trim =
        "DELETE FROM realtime_messages WHERE ctid = ANY (ARRAY(SELECT ctid FROM realtime_messages WHERE recorded_at < clock_timestamp() - $1 ORDER BY position LIMIT 10000))";

    public IBackplaneListener Listener { private get; set; } = null!;

    public async Task<IReadOnlyList<LogPosition>> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> messages, LogPosition known, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Append);
        command.Parameters.Add(new NpgsqlParameter { Value = messages.Select(message => message.ToArray()).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = NewEpoch() });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = AsText(messages) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (epoch, before) = (reader.GetString(0), reader.GetInt64(1));
        while (await reader.ReadAsync(cancellationToken))
        {
        }

        return [.. messages.Select((_, index) => new LogPosition(epoch, before + 1 + index))];
    }

    public async Task SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> messages, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Send);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. messages.Select(message => Convert.ToBase64String(message.Span))] });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<LogState> LookAsync(LogPosition known, CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var command = database.CreateCommand(Look);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = NewEpoch() });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (await reader.ReadAsync(cancellationToken))
            {
                return new LogState(reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2));
            }
        }
    }

    public async Task<IReadOnlyList<KeptMessage>> ReadAsync(LogPosition after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Read);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after.Offset });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var kept = new List<KeptMessage>();
        while (await reader.ReadAsync(cancellationToken))
        {
            kept.Add(new KeptMessage(reader.GetInt64(0), reader.GetFieldValue<byte[]>(1)));
        }

        return kept;
    }

    /// <summary>What is older than any follower may ask for.</summary>
    public async Task TrimAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Trim);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = options.HistoryFor });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>What PostgreSQL notifies.</summary>
    public void Heard(string notice)
    {
        switch (notice.Split(' '))
        {
            case ["s", var message]:
                Listener.Sent(Convert.FromBase64String(message));
                break;
            case ["a", var epoch, var before, { Length: > 0 } messages]:
                Listener.Appended(
                    new LogPosition(epoch, long.Parse(before, CultureInfo.InvariantCulture) + 1),
                    Array.ConvertAll(messages.Split(','), message => (ReadOnlyMemory<byte>)Convert.FromBase64String(message)));
                break;
            default:
                Listener.Wake();
                break;
        }
    }

    public NoticeChannel NoticeChannel() => new(Channel, Heard, () => Listener.Wake(), () => { });

    private static string NewEpoch() => Guid.NewGuid().ToString("N")[..8];

    private static string AsText(IReadOnlyList<ReadOnlyMemory<byte>> messages) =>
        messages.Sum(message => ((message.Length + 2) / 3 * 4) + 1) > LargestNotice ? "" : string.Join(',', messages.Select(message => Convert.ToBase64String(message.Span)));
}
