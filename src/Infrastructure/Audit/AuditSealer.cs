using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using Vtp.Domain.Audit;

namespace Vtp.Infrastructure.Audit;

/// <summary>
/// Gives committed entries their place in their organization's chain, and signs where chains end. One transaction holds
/// the end of one chain and a batch of its entries, so that nodes share the work and two never extend one chain at once.
/// Writers are not held up: they insert, and whatever commits late is placed later. What VTP did not write never is.
/// </summary>
internal sealed partial class AuditSealer(
    NpgsqlDataSource database,
    AuditSigningKeys keys,
    AuditMarks marks,
    AuditInsertions insertions,
    SealedEntries sealedEntries,
    TimeProvider clock,
    ILogger<AuditSealer> logger)
{
    private const int Batch = 1000;

    private const string Waiting = "SELECT DISTINCT organization_id FROM audit_entries WHERE sequence IS NULL";

    private const string Claim = "SELECT last_sequence, last_hash FROM audit_chains WHERE organization_id = $1 FOR UPDATE SKIP LOCKED";

    private const string ClaimOrWait = "SELECT last_sequence, last_hash FROM audit_chains WHERE organization_id = $1 FOR UPDATE";

    private const string Unsealed = "sequence IS NULL AND id > $2 ORDER BY id LIMIT $3";

    private const string UnsealedOfOrganization = $"SELECT {AuditRow.MarkedColumns} FROM audit_entries WHERE organization_id = $1 AND {Unsealed}";

    private const string UnsealedOfNone = $"SELECT {AuditRow.MarkedColumns} FROM audit_entries WHERE $1::uuid IS NOT NULL AND organization_id IS NULL AND {Unsealed}";

    private const string Place =
        $"""
        WITH counted_entries AS (
            UPDATE audit_entries entry SET sequence = placed.sequence, previous_hash = placed.previous_hash, hash = placed.hash
            FROM unnest($1, $2, $3, $4, $5) AS placed (id, kept_until, sequence, previous_hash, hash)
            WHERE entry.id = placed.id AND entry.kept_until = placed.kept_until AND entry.sequence IS NULL
            RETURNING {AuditCounts.Columns}),
        counts AS ({AuditCounts.Add})
        SELECT count(*) FROM counted_entries
        """;

    private const string Uncovered = "SELECT organization_id FROM audit_chains WHERE last_sequence > checkpoint_sequence";

    private const string ToCover =
        """
        SELECT last_sequence, last_hash FROM audit_chains WHERE organization_id = $1 AND last_sequence > checkpoint_sequence FOR UPDATE
        """;

    private const string Cover =
        """
        WITH signed AS (
            INSERT INTO audit_checkpoints (organization_id, sequence, jws, signed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING)
        UPDATE audit_chains SET checkpoint_sequence = $2, checkpoint_at = $4 WHERE organization_id = $1
        """;

    /// <summary>Everything that is waiting now, except where another node is at it.</summary>
    public Task SealAllAsync(CancellationToken cancellationToken) => SealAllAsync(trustsUnmarked: false, cancellationToken);

    /// <summary>Once, when entries begin to be marked: those of the version before have no mark.</summary>
    public Task SealUnmarkedAsync(CancellationToken cancellationToken) => SealAllAsync(trustsUnmarked: true, cancellationToken);

    private async Task SealAllAsync(bool trustsUnmarked, CancellationToken cancellationToken)
    {
        var waiting = new List<Guid>();
        await using (var work = await AuditTransaction.BeginAsync(database, cancellationToken))
        await using (var command = work.Command(Waiting))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                waiting.Add(reader.IsDBNull(0) ? Guid.Empty : reader.GetGuid(0));
            }
        }

        // Before anything is judged: another node may have marked it by a newer key.
        await keys.RefreshAsync(cancellationToken);
        foreach (var chain in waiting)
        {
            await SealAsync(chain, wait: false, trustsUnmarked, cancellationToken);
        }
    }

    /// <summary>What one chain's entries are that were committed before the call, all of them, and a checkpoint of the last.</summary>
    /// <param name="chain">The organization; the nil UUID for the entries of none.</param>
    /// <param name="cancellationToken">Leaves what is sealed so far.</param>
    public async Task CompleteAsync(Guid chain, CancellationToken cancellationToken)
    {
        await keys.RefreshAsync(cancellationToken);
        await SealAsync(chain, wait: true, trustsUnmarked: false, cancellationToken);
        await CheckpointAsync(chain, cancellationToken);
    }

    /// <summary>Signs the ends of chains that have grown since their last checkpoint.</summary>
    public async Task CheckpointAllAsync(CancellationToken cancellationToken)
    {
        await keys.RefreshAsync(cancellationToken);
        var grown = new List<Guid>();
        await using (var work = await AuditTransaction.BeginAsync(database, cancellationToken))
        await using (var command = work.Command(Uncovered))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                grown.Add(reader.GetGuid(0));
            }
        }

        foreach (var chain in grown)
        {
            await CheckpointAsync(chain, cancellationToken);
        }
    }

    private static NpgsqlParameter<DateTime> Time(DateTimeOffset time) => new() { TypedValue = time.UtcDateTime };

    private static NpgsqlParameter<Guid> Uuid(Guid id) => new() { TypedValue = id };

    private async Task CheckpointAsync(Guid chain, CancellationToken cancellationToken)
    {
        await using var work = await AuditTransaction.BeginAsync(database, cancellationToken);
        (long Sequence, byte[] Hash)? end = null;
        await using (var command = work.Command(ToCover, Uuid(chain)))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            if (await reader.ReadAsync(cancellationToken))
            {
                end = (reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
            }
        }

        if (end is not { } last)
        {
            return;
        }

        var now = clock.GetUtcNow();
        Guid? organization = chain == Guid.Empty ? null : chain;
        var checkpoint = new AuditCheckpoint(organization, last.Sequence, Convert.ToHexStringLower(last.Hash), now);
        var jws = keys.Sign(AuditSignature.CheckpointType, checkpoint.ToPayload());
        await work.RunAsync(
            Cover, cancellationToken, Uuid(chain), new NpgsqlParameter<long> { TypedValue = last.Sequence }, new NpgsqlParameter<string> { TypedValue = jws }, Time(now));
        await work.CommitAsync(cancellationToken);

        // Where logs are shipped elsewhere, so are checkpoints: out of reach of who holds database and key.
        LogCheckpoint(organization, last.Sequence, jws);
    }

    private async Task SealAsync(Guid chain, bool wait, bool trustsUnmarked, CancellationToken cancellationToken)
    {
        var after = Guid.Empty;
        while (await SealBatchAsync(chain, wait, trustsUnmarked, after, cancellationToken) is { } last)
        {
            after = last;
        }
    }

    /// <returns>The last entry of a full batch, after which more may be waiting.</returns>
    private async Task<Guid?> SealBatchAsync(Guid chain, bool wait, bool trustsUnmarked, Guid after, CancellationToken cancellationToken)
    {
        await using var work = await AuditTransaction.BeginAsync(database, cancellationToken);
        await work.RunAsync("INSERT INTO audit_chains (organization_id) VALUES ($1) ON CONFLICT DO NOTHING", cancellationToken, Uuid(chain));
        var batch = new AuditBatch();
        await using (var claim = work.Command(wait ? ClaimOrWait : Claim, Uuid(chain)))
        await using (var reader = await claim.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken))
            {
                return null;
            }

            batch.Begin(reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
        }

        var (read, next) = (0, Guid.Empty);
        var told = sealedEntries.AreWanted(chain) ? new List<SealedEntry>() : null;
        await using (var command = work.Command(
            chain == Guid.Empty ? UnsealedOfNone : UnsealedOfOrganization, Uuid(chain), Uuid(after), new NpgsqlParameter<int> { TypedValue = Batch }))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                var row = new AuditRow(reader);
                (read, next) = (read + 1, row.Id);
                if (marks.IsRight(row) || (trustsUnmarked && row.Mark is null))
                {
                    batch.Add(row);
                    told?.Add(SealedEntry.Of(row));
                }
                else
                {
                    insertions.Found(row.Id, row.OrganizationId);
                }
            }
        }

        if (batch.Count > 0)
        {
            await PlaceAsync(work, chain, batch, cancellationToken);
            sealedEntries.Tell(told);
        }

        return read == Batch ? next : null;
    }

    private static async Task PlaceAsync(AuditTransaction work, Guid chain, AuditBatch batch, CancellationToken cancellationToken)
    {

        var placed = await work.ReadAsync<long>(Place, cancellationToken, batch.Parameters());
        if (placed != batch.Count)
        {
            throw new InvalidOperationException($"{batch.Count} entries were to be sealed, and {placed} were.");
        }

        await work.RunAsync(
            "UPDATE audit_chains SET last_sequence = $2, last_hash = $3 WHERE organization_id = $1",
            cancellationToken,
            Uuid(chain),
            new NpgsqlParameter<long> { TypedValue = batch.LastSequence },
            new NpgsqlParameter<byte[]> { TypedValue = batch.LastHash });
        await work.CommitAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Audit checkpoint of {Organization} at {Sequence}: {Jws}")]
    private partial void LogCheckpoint(Guid? organization, long sequence, string jws);
}

/// <summary>Entries on their way into a chain, each with the hash of the one before it.</summary>
internal sealed class AuditBatch
{
    private readonly List<Guid> _ids = [];
    private readonly List<DateTime> _keptUntil = [];
    private readonly List<long> _sequences = [];
    private readonly List<byte[]> _previous = [];
    private readonly List<byte[]> _hashes = [];
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public int Count => _ids.Count;

    public long LastSequence { get; private set; }

    public byte[] LastHash { get; private set; } = [];

    public void Begin(long lastSequence, byte[] lastHash) => (LastSequence, LastHash) = (lastSequence, lastHash);

    public void Add(AuditRow row)
    {
        _buffer.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_buffer, AuditRow.Relaxed))
        {
            row.Write(json, LastSequence + 1, Convert.ToHexStringLower(LastHash), hash: null);
        }

        _ids.Add(row.Id);
        _keptUntil.Add(row.KeptUntil.UtcDateTime);
        _previous.Add(LastHash);
        LastHash = Convert.FromHexString(HashOf(_buffer.WrittenMemory));
        _hashes.Add(LastHash);
        _sequences.Add(++LastSequence);
    }

    public NpgsqlParameter[] Parameters() =>
    [
        Array(NpgsqlDbType.Uuid, _ids),
        Array(NpgsqlDbType.TimestampTz, _keptUntil),
        Array(NpgsqlDbType.Bigint, _sequences),
        Array(NpgsqlDbType.Bytea, _previous),
        Array(NpgsqlDbType.Bytea, _hashes),
    ];

    private static NpgsqlParameter Array<T>(NpgsqlDbType type, List<T> values) => new() { NpgsqlDbType = type | NpgsqlDbType.Array, Value = values };

    private static string HashOf(ReadOnlyMemory<byte> entry)
    {
        using var document = JsonDocument.Parse(entry);
        try
        {
            return AuditChain.HashOf(document.RootElement);
        }
        catch (FormatException)
        {
            // What VTP writes always has a canonical form. Who put something else into the table is found by it, and must
            // not be able to stop the chain.
            return AuditChain.Genesis;
        }
    }
}
