using System.Buffers;
using System.Data;
using System.Text;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Audit;
using Vtp.Application.Common;
using Vtp.Domain.Audit;

namespace Vtp.Infrastructure.Audit;

/// <summary>
/// The whole trail, in one snapshot, a row at a time: an export of any length holds a few kilobytes. What is committed is
/// sealed and signed first, so that an export ends with a checkpoint of its last entry.
/// </summary>
internal sealed class AuditTrailReader(NpgsqlDataSource database, TenantScope scope, AuditSealer sealer, AuditMarks marks, AuditSigningKeys keys, TimeProvider clock) : IAuditTrail
{
    private const int Chunk = 32 * 1024;
    private const string CsvHeader = "ID,Timestamp,User Email,Action,Resource,Resource ID,Resource Name,IP Address,Status\r\n";

    private static readonly JsonSerializerOptions Jwks = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private const string Checkpoints = "SELECT jws FROM audit_checkpoints WHERE organization_id = $1 ORDER BY sequence";
    private const string Retentions = "SELECT jws FROM audit_retentions WHERE organization_id = $1 ORDER BY id";

    /// <summary>Null for the installation's own, which the server's own scope sees.</summary>
    private Guid? Organization => scope.IsSystem ? null : scope.Organization?.Value ?? throw new InvalidOperationException("A chain is one organization's.");

    private Guid Chain => Organization ?? Guid.Empty;

    public async Task WriteCsvAsync(AuditFilter filter, Stream output, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>(2 * Chunk);
        Encoding.UTF8.GetBytes(CsvHeader, buffer);
        await FlushAsync(buffer, output, cancellationToken);
        if (scope.IsEmpty)
        {
            return;
        }

        await using var work = await BeginAsync(cancellationToken);
        await using var command = Select(work, filter, "true", "occurred_at, id");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            AuditCsv.Write(buffer, new AuditRow(reader));
            if (buffer.WrittenCount >= Chunk)
            {
                await FlushAsync(buffer, output, cancellationToken);
            }
        }

        await FlushAsync(buffer, output, cancellationToken);
    }

    public async Task WriteProofAsync(AuditFilter filter, IReadOnlyDictionary<string, string> filters, Stream output, CancellationToken cancellationToken)
    {
        await sealer.CompleteAsync(Chain, cancellationToken);
        await using var work = await BeginAsync(cancellationToken);
        var buffer = new ArrayBufferWriter<byte>(2 * Chunk);
        WriteHeader(buffer, filters);
        await FlushAsync(buffer, output, cancellationToken);

        await using (var command = Select(work, filter, "sequence IS NOT NULL", "sequence"))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                using (var json = new Utf8JsonWriter(buffer, AuditRow.Relaxed))
                {
                    new AuditRow(reader).Write(json);
                }

                buffer.Write("\n"u8);
                if (buffer.WrittenCount >= Chunk)
                {
                    await FlushAsync(buffer, output, cancellationToken);
                }
            }
        }

        foreach (var (type, sql) in new[] { ("retention", Retentions), ("checkpoint", Checkpoints) })
        {
            await ForEachStatementAsync(
                work,
                sql,
                async jws =>
                {
                    Encoding.UTF8.GetBytes($"{{\"type\":\"{type}\",\"jws\":{JsonSerializer.Serialize(jws)}}}\n", buffer);
                    if (buffer.WrittenCount >= Chunk)
                    {
                        await FlushAsync(buffer, output, cancellationToken);
                    }
                },
                cancellationToken);
        }

        await FlushAsync(buffer, output, cancellationToken);
    }

    public async Task<AuditSummary> VerifyAsync(Action<AuditFinding> report, CancellationToken cancellationToken)
    {
        await sealer.CompleteAsync(Chain, cancellationToken);
        using var known = AuditKeys.Parse(JsonSerializer.Serialize(new { Keys = keys.PublicKeys }, Jwks));
        var verifier = new AuditVerifier(Organization, isFiltered: false, known, report);
        await using var work = await BeginAsync(cancellationToken);
        await ForEachStatementAsync(work, Retentions, jws => Done(() => verifier.AddRetention(jws)), cancellationToken);
        await ForEachStatementAsync(work, Checkpoints, jws => Done(() => verifier.AddCheckpoint(jws)), cancellationToken);

        await VerifyEntriesAsync(work, verifier, cancellationToken);
        var inserted = await InsertedAsync(work, report, cancellationToken);
        var summary = verifier.Complete();
        return summary with { Findings = summary.Findings + inserted };

        static ValueTask Done(Action action)
        {
            action();
            return default;
        }
    }

    private async Task VerifyEntriesAsync(AuditTransaction work, AuditVerifier verifier, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>(Chunk);
        await using var command = Select(work, AuditFilter.None, "sequence IS NOT NULL", "sequence");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            buffer.ResetWrittenCount();
            using (var json = new Utf8JsonWriter(buffer, AuditRow.Relaxed))
            {
                new AuditRow(reader).Write(json);
            }

            using var document = JsonDocument.Parse(buffer.WrittenMemory);
            verifier.Add(document.RootElement);
        }
    }

    /// <returns>How many there are without a place that never get one; what VTP has written since is none of them.</returns>
    private async Task<long> InsertedAsync(AuditTransaction work, Action<AuditFinding> report, CancellationToken cancellationToken)
    {
        var found = 0L;
        await using var command = Select(work, AuditFilter.None, "sequence IS NULL", "id");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = new AuditRow(reader);
            if (!marks.IsRight(row))
            {
                found++;
                report(new AuditFinding(AuditFindingKind.Inserted, $"Entry with id {row.Id} was inserted, or edited before it was sealed: it does not bear VTP's mark, so it has no place in the chain.") { Id = row.Id });
            }
        }

        return found;
    }

    private static async Task FlushAsync(ArrayBufferWriter<byte> buffer, Stream output, CancellationToken cancellationToken)
    {
        await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
        await output.FlushAsync(cancellationToken);
        buffer.ResetWrittenCount();
    }

    private async Task ForEachStatementAsync(AuditTransaction work, string sql, Func<string, ValueTask> read, CancellationToken cancellationToken)
    {
        await using var command = work.Command(sql, new NpgsqlParameter<Guid> { TypedValue = Chain });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            await read(reader.GetString(0));
        }
    }

    private async Task<AuditTransaction> BeginAsync(CancellationToken cancellationToken)
    {
        var work = await AuditTransaction.BeginAsync(database, scope, IsolationLevel.RepeatableRead, cancellationToken);

        // In the order of an index the first row comes at once, and nothing is sorted on disk.
        await work.RunAsync("SELECT set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true)", cancellationToken);
        return work;
    }

    private void WriteHeader(ArrayBufferWriter<byte> buffer, IReadOnlyDictionary<string, string> filters)
    {
        using (var json = new Utf8JsonWriter(buffer, AuditRow.Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "export"u8);
            json.WriteNumber("version"u8, AuditExport.Version);
            AuditRow.Write(json, "organization_id"u8, Organization);
            json.WriteString("exported_at"u8, clock.GetUtcNow().UtcDateTime);
            json.WriteStartObject("filters"u8);
            if (scope.Project is { } project)
            {
                json.WriteString("project_id"u8, project.Value); // A key's credential narrows it, whatever it asks for.
            }

            foreach (var (name, value) in filters)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
    }

    private NpgsqlCommand Select(AuditTransaction work, AuditFilter filter, string condition, string order)
    {
        var (conditions, parameters) = (new List<string> { condition }, new List<NpgsqlParameter>());
        if (scope.IsSystem)
        {
            conditions.Add("organization_id IS NULL");
            order = $"organization_id, {order}"; // For the planner, who does not see that they are all alike.
        }
        else if (scope.Organization is { } only)
        {
            Add("organization_id = {0}", NpgsqlDbType.Uuid, only.Value);
        }
        else
        {
            Add("organization_id = ANY ({0})", NpgsqlDbType.Uuid | NpgsqlDbType.Array, Array.ConvertAll(scope.Organizations, organization => organization.Value));
        }

        Add("project_id = {0}", NpgsqlDbType.Uuid, scope.Project?.Value);
        Add("vtp_fold(actor_name) LIKE vtp_fold({0})", NpgsqlDbType.Text, filter.Actor is { } part ? Queries.Anywhere(part) : null);
        Add("action = ANY ({0})", NpgsqlDbType.Text | NpgsqlDbType.Array, filter.Actions?.ToArray());
        Add("target_id = {0}", NpgsqlDbType.Uuid, filter.Target);
        Add("outcome = {0}", NpgsqlDbType.Text, filter.Outcome is { } outcome ? AuditWords.Stored(outcome) : null);
        Add("actor_type = {0}", NpgsqlDbType.Text, filter.ActorType is { } type ? AuditWords.Stored(type) : null);
        Add("occurred_at >= {0}", NpgsqlDbType.TimestampTz, filter.From?.UtcDateTime);
        Add("occurred_at < {0}", NpgsqlDbType.TimestampTz, filter.Before?.UtcDateTime);
        var command = work.Command(
            $"SELECT {AuditRow.MarkedColumns} FROM audit_entries WHERE {string.Join(" AND ", conditions)} ORDER BY {order}", [.. parameters]);

        // It lasts as long as the client reads; who has gone ends it.
        command.CommandTimeout = 0;
        return command;

        void Add(string text, NpgsqlDbType type, object? value)
        {
            if (value is not null)
            {
                parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value });
                conditions.Add(text.Replace("{0}", $"${parameters.Count}", StringComparison.Ordinal));
            }
        }
    }
}

/// <summary>RFC 4180, and harmless in a spreadsheet.</summary>
internal static class AuditCsv
{
    private static readonly SearchValues<char> Quoted = SearchValues.Create(",\"\r\n");

    public static void Write(IBufferWriter<byte> output, AuditRow row)
    {
        string?[] cells =
        [
            row.Id.ToString(),
            AuditChain.Timestamp(row.OccurredAt),
            row.ActorName,
            row.Action,
            AuditActions.ResourceOf(row.Action),
            row.TargetId?.ToString(),
            row.TargetName,
            row.IpAddress,
            row.Status,
        ];
        Encoding.UTF8.GetBytes($"{string.Join(',', cells.Select(Cell))}\r\n", output);
    }

    /// <summary>What begins like a formula gets an apostrophe: names are written by whoever may write them, and are read elsewhere.</summary>
    internal static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        var harmless = text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? $"'{text}" : text;
        return harmless.AsSpan().ContainsAny(Quoted) ? $"\"{harmless.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : harmless;
    }
}
