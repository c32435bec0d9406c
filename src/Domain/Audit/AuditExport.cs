using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace Vtp.Domain.Audit;

/// <summary>The export cannot be read at all; the message is one sentence for the person who gave it.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "It is what a person reads, not a failure that code handles.")]
public sealed class AuditExportFault(string sentence, Exception? inner = null) : Exception(sentence, inner);

/// <summary>The first line of an export. It is not signed: what it claims is held against everything that is.</summary>
/// <param name="OrganizationId">Null for the chain of entries that belong to no organization.</param>
/// <param name="ExportedAt">When, as the server says.</param>
/// <param name="IsFiltered">Some entries were left out on request.</param>
public sealed record AuditExportHeader(Guid? OrganizationId, DateTimeOffset ExportedAt, bool IsFiltered);

/// <summary>Verifies an export in newline-delimited JSON, version 1, as docs/audit-proof.md describes it.</summary>
public static class AuditExport
{
    public const int Version = 1;

    /// <summary>
    /// Reads the export twice, as it says at its end what was signed about its beginning, and holds one line at a time.
    /// Throws <see cref="AuditExportFault"/>.
    /// </summary>
    /// <param name="export">From its beginning, and seekable; stays the caller's.</param>
    /// <param name="keys">Who may sign; stays the caller's.</param>
    /// <param name="kept">Checkpoints (JWS) that were kept elsewhere, each with what a finding calls it.</param>
    /// <param name="report">Is called for each finding.</param>
    public static (AuditExportHeader Header, AuditSummary Summary) Verify(
        Stream export, AuditKeys keys, IEnumerable<(string Jws, string Name)> kept, Action<AuditFinding> report)
    {
        AuditExportHeader? header = null;
        AuditVerifier? verifier = null;
        foreach (var (line, number) in Objects(export))
        {
            switch (line.Text("type"))
            {
                case "export" when verifier is null:
                    header = Header(line);
                    verifier = new AuditVerifier(header.OrganizationId, header.IsFiltered, keys, report);
                    break;
                case var _ when verifier is null:
                    throw new AuditExportFault("The export does not begin with its export line, so it is not clear whose trail it is.");
                case "checkpoint":
                    verifier.AddCheckpoint(Jws(line, number), Invariant($"The checkpoint in line {number}"));
                    break;
                case "retention":
                    verifier.AddRetention(Jws(line, number), Invariant($"The retention in line {number}"));
                    break;
                case "entry":
                    break;
                default:
                    throw new AuditExportFault(Invariant($"Line {number} of the export is of a type that version {Version} does not have."));
            }
        }

        if (header is null || verifier is null)
        {
            throw new AuditExportFault("The export is empty: not even its export line is there.");
        }

        foreach (var (jws, name) in kept)
        {
            verifier.AddCheckpoint(jws, name);
        }

        foreach (var (line, _) in Objects(export))
        {
            if (line.Text("type") == "entry")
            {
                verifier.Add(line);
            }
        }

        return (header, verifier.Complete());
    }

    private static AuditExportHeader Header(JsonElement line)
    {
        if (!line.TryGetProperty("version", out var version) || version.ValueKind != JsonValueKind.Number
            || !version.TryGetInt32(out var number) || number != Version)
        {
            throw new AuditExportFault(Invariant($"The export is not of version {Version}, the only one that is known here."));
        }

        return line.TryUuid("organization_id", out var organization)
            && line.TryGetProperty("exported_at", out var at) && at.ValueKind == JsonValueKind.String && at.TryGetDateTimeOffset(out var exportedAt)
            && line.TryGetProperty("filters", out var filters) && filters.ValueKind == JsonValueKind.Object
            ? new AuditExportHeader(organization, exportedAt, filters.EnumerateObject().Any())
            : throw new AuditExportFault("The export line needs an organization_id (a UUID or null), an exported_at and the object filters.");
    }

    private static string Jws(JsonElement line, long number) =>
        line.Text("jws") ?? throw new AuditExportFault(Invariant($"Line {number} of the export has no jws."));

    private static IEnumerable<(JsonElement Line, long Number)> Objects(Stream export)
    {
        export.Position = 0;
        var lines = new Lines(export);
        for (long number = 1; lines.TryRead(out var line); number++)
        {
            if (line.Length == 0)
            {
                continue;
            }

            using var document = Parse(line, number);
            yield return (document.RootElement, number);
        }
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> line, long number)
    {
        try
        {
            return AuditJson.Parse(line);
        }
        catch (JsonException exception)
        {
            throw new AuditExportFault(
                Invariant($"Line {number} of the export is not one JSON object with each name once: the file was damaged, cut off or is none of VTP's."), exception);
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Lines that end with a line feed and nothing else: a JSON string may hold what other readers take for line ends.</summary>
    private sealed class Lines(Stream stream)
    {
        // An entry is a few kilobytes; what has no line feed for this long is not an export, and must not fill the memory.
        private const int MaximumBytes = 16 * 1024 * 1024;

        private byte[] _buffer = new byte[64 * 1024];
        private int _from;
        private int _to;

        /// <summary>The line is good until the next one is read.</summary>
        public bool TryRead(out ReadOnlyMemory<byte> line)
        {
            var searched = 0;
            while (true)
            {
                var end = _buffer.AsSpan(_from + searched, _to - _from - searched).IndexOf((byte)'\n');
                if (end >= 0)
                {
                    line = Trimmed(_buffer.AsMemory(_from, searched + end));
                    _from += searched + end + 1;
                    return true;
                }

                searched = _to - _from;
                if (!Fill())
                {
                    line = Trimmed(_buffer.AsMemory(_from, searched));
                    _from = _to;
                    return searched > 0;
                }
            }
        }

        private static ReadOnlyMemory<byte> Trimmed(ReadOnlyMemory<byte> line) =>
            line.Length > 0 && line.Span[^1] == '\r' ? line[..^1] : line;

        private bool Fill()
        {
            if (_from > 0)
            {
                _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
                (_from, _to) = (0, _to - _from);
            }

            if (_to == _buffer.Length)
            {
                if (_buffer.Length >= MaximumBytes)
                {
                    throw new AuditExportFault("The export has a line of more than 16 MiB: it is not newline-delimited JSON.");
                }

                Array.Resize(ref _buffer, _buffer.Length * 2);
            }

            var read = stream.Read(_buffer, _to, _buffer.Length - _to);
            _to += read;
            return read > 0;
        }
    }
}
