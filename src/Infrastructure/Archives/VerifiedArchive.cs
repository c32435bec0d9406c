using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Vtp.Application.Tenancy.Archives;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Infrastructure.Audit;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Archives;

/// <summary>
/// An archive that has been checked, and is written as it is. Row-level security stands behind the checks: the
/// transaction sees the one organization, and cannot write a row of another.
/// </summary>
internal sealed class VerifiedArchive(
    NpgsqlDataSource database, VtpDbContext db, ReceivedFile file, ArchiveManifest manifest, IReadOnlyList<ArchivePart> parts, ArchiveVerifier verified, AuditAdoption trail, TimeProvider clock)
    : ReceivedArchive
{
    private const int BatchRows = 500;
    private const int BatchBytes = 1024 * 1024;

    /// <summary>People whose account here is another than there: theirs in the archive, and the one that they have.</summary>
    private readonly Dictionary<Guid, Guid> _mapped = [];

    public override Guid Id => manifest.Id;

    public override string Name => manifest.Name;

    public override async Task<Result<Restored>> RestoreAsync(OrganizationId into, CancellationToken cancellationToken)
    {
        await PreparePartitionsAsync(cancellationToken);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        await TenantSetting.SetAsync(connection, into.Value, manifest.Kind == ArchiveKind.Project ? Id : null, cancellationToken);
        await MapPeopleAsync(connection, cancellationToken);
        var created = 0;
        foreach (var part in parts.Where(part => part.Facts.Rows > 0))
        {
            try
            {
                var written = await WriteAsync(connection, part, into, cancellationToken);
                created += part.Table.Name == ArchiveTables.Accounts ? written : 0;
            }
            catch (PostgresException exception) when (Refused(exception, part.Table) is Refusal refusal)
            {
                return refusal;
            }
        }

        if (manifest.Kind == ArchiveKind.Organization)
        {
            await trail.AdoptAsync(connection, into.Value, cancellationToken);
        }

        return new Restored(created, verified.People.Count - created);
    }

    public override ValueTask DisposeAsync() => file.DisposeAsync();

    /// <summary>
    /// Outside of the transaction, which would hold up everybody's entries. Months that nothing is ready for would go to
    /// the partition of the rest, and then be in the way of their own.
    /// </summary>
    private async Task PreparePartitionsAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateSystemCommand(
            """
            SELECT audit_prepare_partitions(greatest(0, month - today))
            FROM (SELECT (now() AT TIME ZONE 'UTC')::date) clock (today), unnest($1::date[]) month
            WHERE month >= date_trunc('month', today::timestamp) AND to_regclass('audit_entries_' || to_char(month, 'YYYY_MM')) IS NULL
                AND NOT EXISTS (SELECT FROM audit_entries WHERE tableoid = 'audit_entries_rest'::regclass
                    AND kept_until >= month AND kept_until < month + interval '4 months')
            """,
            new NpgsqlParameter<DateOnly[]> { TypedValue = [.. verified.KeptUntil] });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Who owns the address of somebody in the archive is that person: they have proved it here. A mere claim has not,
    /// and gets no part in the organization.
    /// </summary>
    private async Task MapPeopleAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT DISTINCT ON (owner.id) person.id, owner.id FROM unnest($1::uuid[], $2::text[]) person (id, email)
            JOIN accounts owner ON owner.email = person.email AND owner.email_verified_at IS NOT NULL AND owner.id <> ALL ($1)
            WHERE NOT EXISTS (SELECT FROM accounts same WHERE same.id = person.id)
            ORDER BY owner.id, person.id
            """,
            connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. verified.People.Keys] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. verified.People.Values] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            _mapped.Add(reader.GetGuid(0), reader.GetGuid(1));
        }
    }

    private async Task<int> WriteAsync(NpgsqlConnection connection, ArchivePart part, OrganizationId into, CancellationToken cancellationToken)
    {
        var (sql, batch, bytes, written) = (Sql(part), new List<string>(), 0, 0);
        await using var rows = await part.Entry.OpenAsync(cancellationToken);
        await foreach (var line in ArchiveLines.ReadAsync(rows, part.Facts, cancellationToken))
        {
            batch.Add(Encoding.UTF8.GetString(line));
            bytes += line.Length;
            if (batch.Count >= BatchRows || bytes >= BatchBytes)
            {
                written += await InsertAsync();
                (batch, bytes) = ([], 0);
            }
        }

        return written + (batch.Count > 0 ? await InsertAsync() : 0);

        async Task<int> InsertAsync()
        {
            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. batch] });
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = into.Value });
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. _mapped.Keys] });
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. _mapped.Values] });
            command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = clock.GetUtcNow().UtcDateTime });
            return await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>Inserts the lines in $1. Columns that the file does not have fill themselves.</summary>
    private string Sql(ArchivePart part)
    {
        var table = part.Table;
        var values = part.Columns.Select(column => (column.Name, Value: table.People.Contains(column.Name, StringComparer.Ordinal)
            ? $"coalesce(($4::uuid[])[array_position($3::uuid[], r.{column.Name})], r.{column.Name})"
            : $"r.{column.Name}")).ToList();
        if (manifest.Kind == ArchiveKind.Project)
        {
            values.Add((table.Owner!, "$2"));
        }

        var (where, conflict) = ("", "");
        if (table.Name == ArchiveTables.Accounts)
        {
            // Somebody whose account is here, under this id or as the owner of their address, keeps it as it is.
            values.AddRange([("created_at", "$5"), ("updated_at", "$5")]);
            (where, conflict) = ("WHERE r.id <> ALL ($3)", "ON CONFLICT (id) DO NOTHING");
        }

        // The casts let every statement use the same parameters, whether it needs them or not.
        return $"""
            INSERT INTO {table.Name} ({string.Join(", ", values.Select(value => value.Name))})
            SELECT {string.Join(", ", values.Select(value => value.Value))}
            FROM (SELECT $2::uuid, $3::uuid[], $4::uuid[], $5::timestamptz) given,
                unnest($1::text[]) line, jsonb_populate_record(NULL::{table.Name}, line::jsonb) r
            {where} {conflict}
            """;
    }

    private static Refusal? Refused(PostgresException exception, ArchiveTable table) => exception switch
    {
        { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "organizations_admin_email" } => OrganizationRefusals.AddressTaken,
        { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "api_keys_key_hash_key" } => ApiKeyRefusals.Taken,
        { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: { } name } when name.EndsWith("_pkey", StringComparison.Ordinal) => ArchiveRefusals.Exists,

        // Data exceptions and violated constraints: what the checks before this one cannot know.
        { SqlState: ['2', '2' or '3', ..] } => ArchiveRefusals.Invalid(table.File, "PostgreSQL does not take one of its rows."),
        _ => null,
    };
}
