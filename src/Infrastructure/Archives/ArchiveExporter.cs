using System.Data;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Npgsql;
using Vtp.Application.Tenancy.Archives;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Audit;

namespace Vtp.Infrastructure.Archives;

/// <summary>
/// Reads everything in one snapshot that sees exactly one organization: row-level security itself keeps all others out.
/// The snapshot is open until the request or job ends, because an answer is written after its use case is over.
/// </summary>
internal sealed class ArchiveExporter(NpgsqlDataSource database, SchemaVersion schema, AuditSealer trail, TimeProvider clock) : IArchiveExporter, IAsyncDisposable
{
    // For the first row of the longest table, which is sorted before it comes.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private NpgsqlConnection? _connection;
    private NpgsqlTransaction? _snapshot;

    public async Task<Archive> OpenAsync(OrganizationId organization, CancellationToken cancellationToken)
    {
        // What has happened leaves with its place in the chain; the new server goes on from there.
        await trail.CompleteAsync(organization.Value, cancellationToken);
        return await OpenAsync(ArchiveKind.Organization, organization, organization.Value, project: null, cancellationToken);
    }

    public Task<Archive> OpenAsync(OrganizationId organization, ProjectId project, CancellationToken cancellationToken) =>
        OpenAsync(ArchiveKind.Project, organization, project.Value, project, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_snapshot is not null)
        {
            await _snapshot.DisposeAsync();
        }

        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }
    }

    private async Task<Archive> OpenAsync(ArchiveKind kind, OrganizationId organization, Guid id, ProjectId? project, CancellationToken cancellationToken)
    {
        _connection = await database.OpenConnectionAsync(cancellationToken);
        _snapshot = await _connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using var readOnly = new NpgsqlCommand("SET TRANSACTION READ ONLY", _connection);
        await readOnly.ExecuteNonQueryAsync(cancellationToken);
        await TenantSetting.SetAsync(_connection, organization.Value, project?.Value, cancellationToken);

        await using var command = new NpgsqlCommand($"SELECT name FROM {ArchiveTables.RootOf(kind)} WHERE id = $1", _connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        var name = (string)(await command.ExecuteScalarAsync(cancellationToken))!;
        return new Archive(ArchiveNames.Of(kind, id), name, async (stream, token) =>
        {
            await using var backlog = new Backlog(stream);
            await WriteAsync(backlog, kind, id, name, token);
            await backlog.FlushAsync(token);
        });
    }

    private async Task WriteAsync(Stream stream, ArchiveKind kind, Guid id, string name, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var files = new List<ArchiveFileFacts>();
        await using var zip = await ZipArchive.CreateAsync(stream, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8, cancellationToken);
        foreach (var table in ArchiveTables.Of(kind))
        {
            await using var entry = await CreateAsync(zip, table.File, now, cancellationToken);
            files.Add(await WriteAsync(entry, table, kind, id, cancellationToken));
        }

        // Last, because only now are the files' hashes known.
        var manifest = new ArchiveManifest(ArchiveManifest.CurrentVersion, kind, id, name, now, schema.Newest, files);
        await using var last = await CreateAsync(zip, ArchiveManifest.File, now, cancellationToken);
        await JsonSerializer.SerializeAsync(last, manifest, ArchiveManifest.Json, cancellationToken);
    }

    private static Task<Stream> CreateAsync(ZipArchive zip, string name, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var entry = zip.CreateEntry(name, CompressionLevel.Optimal);
        entry.LastWriteTime = now;
        return entry.OpenAsync(cancellationToken);
    }

    private async Task<ArchiveFileFacts> WriteAsync(Stream file, ArchiveTable table, ArchiveKind kind, Guid id, CancellationToken cancellationToken)
    {
        var (rows, bytes) = (0L, 0L);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await foreach (var row in ReadAsync(table, kind, id, cancellationToken))
        {
            var line = Encoding.UTF8.GetBytes(row + '\n');
            hash.AppendData(line);
            (rows, bytes) = (rows + 1, bytes + line.Length);
            await file.WriteAsync(line, cancellationToken);
        }

        return new ArchiveFileFacts(table.File, rows, bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private async IAsyncEnumerable<string> ReadAsync(ArchiveTable table, ArchiveKind kind, Guid id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var columns = await ArchiveColumn.OfAsync(database, table, kind == ArchiveKind.Project, cancellationToken);
        var written = columns.Select(column => $"{table.Instead.GetValueOrDefault(column.Name) ?? column.Written} AS {column.Name}");
        var rows = kind == ArchiveKind.Project ? $"t.{table.Project} = $1"
            : table.Owner is { } owner ? $"t.{owner} = $1"
            : $"t.id IN (SELECT account_id FROM {ArchiveTables.Members} WHERE {ArchiveTables.OrganizationId} = $1)";
        await using var command = new NpgsqlCommand(
            $"SELECT (SELECT row_to_json(r) FROM (SELECT {string.Join(", ", written)}) r)::text FROM {table.Name} t WHERE {rows} AND {table.Where ?? "true"} ORDER BY t.id", _connection);
        command.CommandTimeout = (int)Patience.TotalSeconds;
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            yield return reader.GetString(0);
        }
    }
}

internal static class TenantSetting
{
    /// <summary>For the transaction of this connection, beneath EF Core: it sees this one organization, whose project may narrow it.</summary>
    public static async Task SetAsync(NpgsqlConnection connection, Guid organization, Guid? project, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT set_config('vtp.tenants', $1, true), set_config('vtp.project', $2, true)", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"{{{organization}}}" });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = project?.ToString() ?? "" });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
