using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Npgsql;
using Vtp.Application.Tenancy.Archives;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Audit;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Archives;

/// <summary>Takes an archive in and believes nothing of it: whoever sends one has had it in their hands.</summary>
internal sealed class ArchiveImporter(NpgsqlDataSource database, VtpDbContext db, SchemaVersion schema, ArchiveLimits limits, AuditAdoption trail, TimeProvider clock)
    : IArchiveImporter
{
    private const int ShownName = 100;

    public async Task<Result<ReceivedArchive>> ReceiveAsync(Stream body, ArchiveKind kind, CancellationToken cancellationToken)
    {
        var file = await ReceivedFile.TakeAsync(body, cancellationToken);
        VerifiedArchive? archive = null;
        try
        {
            archive = await VerifyAsync(file, kind, cancellationToken);
            return archive;
        }
        catch (ArchiveFault fault)
        {
            return ArchiveRefusals.Invalid(fault.File, fault.Message);
        }
        finally
        {
            if (archive is null)
            {
                await file.DisposeAsync();
            }
        }
    }

    private async Task<VerifiedArchive> VerifyAsync(ReceivedFile file, ArchiveKind kind, CancellationToken cancellationToken)
    {
        var entries = await EntriesAsync(file, cancellationToken);
        var manifest = await ManifestAsync(entries, kind, cancellationToken);
        var tables = ArchiveTables.Of(kind).Where(table => string.CompareOrdinal(table.Since, manifest.Schema) <= 0).ToList();
        CheckNames(entries, manifest, tables);

        var (verifier, parts) = (new ArchiveVerifier(manifest, clock.GetUtcNow()), new List<ArchivePart>());
        foreach (var table in tables)
        {
            var facts = manifest.Files.Single(one => one.Name == table.File);
            var columns = await ArchiveColumn.OfAsync(database, table, kind == ArchiveKind.Project, cancellationToken);
            var part = new ArchivePart(table, facts, entries[table.File]);
            part.Columns = await VerifyAsync(part, verifier.Of(table, columns), cancellationToken);
            parts.Add(part);
        }

        verifier.Finish();
        await CheckForeignProjectsAsync(verifier, cancellationToken);
        return new VerifiedArchive(database, db, file, manifest, parts, verifier, trail, clock);
    }

    /// <summary>By name; damage that the directory does not show is found when a file is read.</summary>
    private static async Task<Dictionary<string, ZipArchiveEntry>> EntriesAsync(ReceivedFile file, CancellationToken cancellationToken)
    {
        var byName = new Dictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
        foreach (var entry in await ReadAsync("archive", () => file.EntriesAsync(cancellationToken)))
        {
            if (!byName.TryAdd(entry.FullName, entry))
            {
                throw new ArchiveFault(Shown(entry.FullName), "It is in the archive twice.");
            }
        }

        return byName;
    }

    private async Task<ArchiveManifest> ManifestAsync(Dictionary<string, ZipArchiveEntry> entries, ArchiveKind kind, CancellationToken cancellationToken)
    {
        if (!entries.TryGetValue(ArchiveManifest.File, out var entry))
        {
            throw new ArchiveFault(ArchiveManifest.File, "It is missing.");
        }

        var json = await ReadAsync(ArchiveManifest.File, () => ReadManifestAsync(entry, cancellationToken));
        ArchiveManifest manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<ArchiveManifest>(json.Span, ArchiveManifest.Json)!;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new ArchiveFault(ArchiveManifest.File, "It is not the manifest of an archive.", exception);
        }

        Demand(manifest is not null, "It is not the manifest of an archive.");
        Demand(manifest!.FormatVersion == ArchiveManifest.CurrentVersion, $"This server reads format_version {ArchiveManifest.CurrentVersion}.");
        Demand(manifest.Kind == kind, kind == ArchiveKind.Organization ? "It is not an organization's archive." : "It is not a project's archive.");
        Demand((schema.Known).Contains(manifest.Schema, StringComparer.Ordinal), "A newer version of VTP made it: import it there.");
        Demand(manifest.Files.All(one => one is { Rows: >= 0, Bytes: >= 0 }), "A file has fewer rows or bytes than none.");
        var unpacked = manifest.Files.Aggregate(0m, (sum, one) => sum + one.Bytes);
        Demand(unpacked <= limits.MaximumUnpackedBytes, $"Its files have {unpacked} bytes; this server takes {limits.MaximumUnpackedBytes}.");
        return manifest;

        static void Demand(bool holds, string sentence)
        {
            if (!holds)
            {
                throw new ArchiveFault(ArchiveManifest.File, sentence);
            }
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadManifestAsync(ZipArchiveEntry entry, CancellationToken cancellationToken)
    {
        await using var file = await entry.OpenAsync(cancellationToken);
        var buffer = new byte[ArchiveManifest.MaximumBytes + 1];
        var length = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length < buffer.Length ? buffer.AsMemory(0, length) : throw new ArchiveFault(ArchiveManifest.File, "It is longer than 64 KiB.");
    }

    /// <summary>Exactly the files that are expected, so that no name is ever a path, and nothing rides along.</summary>
    private static void CheckNames(Dictionary<string, ZipArchiveEntry> entries, ArchiveManifest manifest, List<ArchiveTable> tables)
    {
        foreach (var table in tables)
        {
            if (!entries.ContainsKey(table.File))
            {
                throw new ArchiveFault(table.File, "It is missing.");
            }

            if (manifest.Files.Count(one => one.Name == table.File) != 1)
            {
                throw new ArchiveFault(ArchiveManifest.File, $"It does not speak of {table.File} once.");
            }
        }

        var expected = tables.Select(table => table.File).Append(ArchiveManifest.File).ToHashSet(StringComparer.Ordinal);
        if (entries.Keys.Concat(manifest.Files.Select(one => one.Name)).FirstOrDefault(name => !expected.Contains(name)) is { } unexpected)
        {
            throw new ArchiveFault(Shown(unexpected), "It does not belong into this archive.");
        }
    }

    private static Task<IReadOnlyList<ArchiveColumn>> VerifyAsync(ArchivePart part, ArchiveTableVerifier verifier, CancellationToken cancellationToken) =>
        ReadAsync(part.Facts.Name, async () =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using var file = await part.Entry.OpenAsync(cancellationToken);
            await foreach (var line in ArchiveLines.ReadAsync(file, part.Facts, cancellationToken))
            {
                hash.AppendData(line);
                hash.AppendData("\n"u8);
                verifier.Verify(line);
            }

            if (!part.Facts.Sha256.Equals(Convert.ToHexStringLower(hash.GetHashAndReset()), StringComparison.Ordinal))
            {
                throw new ArchiveFault(part.Facts.Name, "Its SHA-256 is not the one in the manifest.");
            }

            return verifier.Finish(part.Facts.Rows);
        });

    /// <summary>The trail outlives projects, so that it may speak of one that is gone; not of one that somebody else has.</summary>
    private async Task CheckForeignProjectsAsync(ArchiveVerifier verifier, CancellationToken cancellationToken)
    {
        await using var command = database.CreateSystemCommand(
            "SELECT id FROM projects WHERE id = ANY ($1)", new NpgsqlParameter<Guid[]> { TypedValue = [.. verifier.GoneProjects.Keys] });
        await using var reader = await command.ReadAsync(cancellationToken);
        if (await reader.ReadAsync(cancellationToken))
        {
            throw new ArchiveFault(
                $"{ArchiveTables.AuditEntries}.jsonl", $"Line {verifier.GoneProjects[reader.GetGuid(0)]}: project_id names a project of another organization.");
        }
    }

    /// <summary>What a ZIP that is none, is cut off or lies does to its reader.</summary>
    private static async Task<T> ReadAsync<T>(string file, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or NotSupportedException or ArgumentException or OverflowException)
        {
            throw new ArchiveFault(file, file == "archive" ? "It is not a ZIP, or it is not whole." : "It cannot be unpacked.", exception);
        }
    }

    private static string Shown(string name) => name.Length <= ShownName ? name : name[..ShownName];
}

/// <summary>One file of an archive, and the table that it goes to.</summary>
internal sealed record ArchivePart(ArchiveTable Table, ArchiveFileFacts Facts, ZipArchiveEntry Entry)
{
    /// <summary>Those that the file has.</summary>
    public IReadOnlyList<ArchiveColumn> Columns { get; set; } = [];
}
