using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using Vtp.Infrastructure.Notices;

namespace Vtp.Infrastructure.Relay;

/// <summary>
/// Through a table of PostgreSQL that is not logged: what a crash loses has a sender who waits for its outcome. How many rows
/// a node may have before it is the senders' business, who have so many under way and no more; with the node they go.
/// </summary>
internal sealed partial class PostgresRelayTransport(NpgsqlDataSource database, RelayNodes nodes, ILogger<PostgresRelayTransport> logger)
    : BackgroundService, IRelayTransport
{
    /// <summary>Says which node has something to read.</summary>
    public const string Channel = "vtp_relay";

    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    private const string Insert = "INSERT INTO relay_frames (node_id, body) VALUES ($1, $2)";
    private const string Notify = "SELECT pg_notify('" + Channel + "', $1)";

    private const string Take =
        """
        DELETE FROM relay_frames WHERE id = ANY (ARRAY(SELECT id FROM relay_frames WHERE node_id = $1 ORDER BY id LIMIT 16))
        RETURNING id, body
        """;

    private readonly Wakes _wakes = new();
    private Guid _node;
    private Action<ReadOnlyMemory<byte>> _received = _ => { };

    public void Listen(Guid node, Action<ReadOnlyMemory<byte>> received) => (_node, _received) = (node, received);

    public void Heard(string node)
    {
        if (node == _node.ToString())
        {
            _wakes.Wake();
        }
    }

    public void Wake() => _wakes.Wake();

    public async ValueTask<bool> SendAsync(Guid node, byte[] frame, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Insert)
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = node }, new NpgsqlParameter { Value = frame, NpgsqlDbType = NpgsqlDbType.Bytea } },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Notify) { Parameters = { new NpgsqlParameter<string> { TypedValue = node.ToString() } } });
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            return true;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return false; // It is gone.
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                while (!nodes.IsAlone && await TakeAsync(stoppingToken))
                {
                    // There may be more.
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
                await Task.Delay(Pace, stoppingToken);
            }

            await _wakes.WaitAsync(Pace, stoppingToken);
        }
    }

    private async Task<bool> TakeAsync(CancellationToken cancellationToken)
    {
        var frames = new SortedList<long, byte[]>();
        await using (var command = database.CreateCommand(Take))
        {
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = _node });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                frames.Add(reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
            }
        }

        foreach (var frame in frames.Values)
        {
            _received(frame);
        }

        return frames.Count > 0;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages of other nodes' peers could not be read; trying again")]
    private partial void LogFailed(Exception exception);
}
