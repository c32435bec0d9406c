using System.Globalization;
using Vtp.Domain.Audit;

namespace Vtp.Api;

/// <summary>
/// <c>audit verify --export FILE --key FILE [--checkpoint FILE]</c>: holds an export of the audit trail against what was
/// signed. It needs these files and nothing else: no server, no database, no network.
/// </summary>
internal static class AuditCommand
{
    public const string Name = "audit";

    private const int Clean = 0;
    private const int Found = 1;
    private const int Unreadable = 2;
    private const string Usage = "Usage: audit verify --export FILE --key FILE [--checkpoint FILE].";

    // A trail that was torn apart has a finding for each entry; who reads a hundred of them knows.
    private const int MaximumPrinted = 100;

    /// <summary>0 when nothing was found, 1 when something was, 2 when it could not be read.</summary>
    public static int Run(string[] arguments, TextWriter output, TextWriter errors)
    {
        try
        {
            var (export, key, checkpoint) = Parse(arguments);
            return Verify(export, key, checkpoint, output);
        }
        catch (AuditExportFault fault)
        {
            errors.WriteLine(fault.Message);
            return Unreadable;
        }
    }

    private static (string Export, string Key, string? Checkpoint) Parse(string[] arguments)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        if (arguments is not ["verify", .. var options])
        {
            throw new AuditExportFault(Usage);
        }

        for (var index = 0; index < options.Length; index += 2)
        {
            if (options[index] is not ("--export" or "--key" or "--checkpoint"))
            {
                throw new AuditExportFault($"{options[index]} is no option here. {Usage}");
            }

            if (index + 1 == options.Length || options[index + 1].Length == 0 || !files.TryAdd(options[index], options[index + 1]))
            {
                throw new AuditExportFault($"{options[index]} needs one file. {Usage}");
            }
        }

        return files.TryGetValue("--export", out var export) && files.TryGetValue("--key", out var key)
            ? (export, key, files.GetValueOrDefault("--checkpoint"))
            : throw new AuditExportFault($"An export and a key are needed. {Usage}");
    }

    private static int Verify(string exportFile, string keyFile, string? checkpointFile, TextWriter output)
    {
        using var keys = Keys(keyFile);
        var kept = checkpointFile is null ? [] : Kept(checkpointFile);
        using var export = Read(exportFile, File.OpenRead);
        if (!export.CanSeek)
        {
            throw new AuditExportFault($"{exportFile} is not a file that can be read twice: save the export first.");
        }

        long printed = 0;
        var (header, summary) = Read(exportFile, _ => AuditExport.Verify(export, keys, kept, finding =>
        {
            if (++printed <= MaximumPrinted)
            {
                output.WriteLine($"Finding: {finding.Sentence}");
            }
        }));
        if (printed > MaximumPrinted)
        {
            Write(output, $"And {printed - MaximumPrinted} more findings.");
        }

        Describe(header, summary, kept.Count, output);
        if (summary is { Entries: > 0, Checkpoints: 0 })
        {
            output.WriteLine("Finding: There is no valid checkpoint, so nothing ties these entries to what the server signed.");
            return Found;
        }

        if (summary.Findings > 0)
        {
            output.WriteLine("The trail is NOT as it was signed.");
            return Found;
        }

        output.WriteLine("Nothing was found.");
        return Clean;
    }

    private static void Describe(AuditExportHeader header, AuditSummary summary, int kept, TextWriter output)
    {
        var owner = header.OrganizationId is { } id ? $"organization {id}" : "no organization";
        Write(output, $"Export for {owner}, made at {header.ExportedAt.UtcDateTime:u}.");
        Write(output, summary.LastSequence is null
            ? $"It holds no entries; {summary.Dropped} were dropped by signed retention."
            : (FormattableString)$"Checked {summary.Entries} entries, sequence {summary.FirstSequence} to {summary.LastSequence}; {summary.Dropped} were dropped by signed retention.");
        Write(output, summary.LastCheckpoint is null
            ? $"Checked no checkpoint."
            : (FormattableString)$"Checked {summary.Checkpoints} checkpoints, {kept} of them kept elsewhere; the last names entry {summary.LastCheckpoint} and was signed at {summary.LastCheckpointAt:u}.");
        if (header.IsFiltered)
        {
            output.WriteLine("Note: this export is filtered. What is missing cannot be judged; each hash was, and each checkpoint whose entry is there.");
        }

        if (summary.NotYetCovered > 0)
        {
            Write(output, $"Note: {summary.NotYetCovered} of the newest entries are not yet covered by a checkpoint.");
        }

        if (summary.Unbound > 0)
        {
            Write(output, $"Note: {summary.Unbound} entries stand before a gap that no checkpoint on their side covers: their own hashes were checked, no more.");
        }
    }

    private static AuditKeys Keys(string file)
    {
        var text = Read(file, File.ReadAllText);
        try
        {
            return AuditKeys.Parse(text);
        }
        catch (FormatException exception)
        {
            throw new AuditExportFault($"{file} cannot be used as the key: {exception.Message}", exception);
        }
    }

    private static List<(string Jws, string Name)> Kept(string file)
    {
        var kept = Read(file, File.ReadAllLines)
            .Select((line, index) => (Jws: line.Trim(), Name: string.Create(CultureInfo.InvariantCulture, $"The checkpoint in line {index + 1} of the kept ones")))
            .Where(line => line.Jws.Length > 0)
            .ToList();
        return kept.Count > 0 ? kept : throw new AuditExportFault($"{file} holds no checkpoint.");
    }

    private static T Read<T>(string file, Func<string, T> read)
    {
        try
        {
            return read(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new AuditExportFault(
                exception is FileNotFoundException or DirectoryNotFoundException ? $"There is no file {file}." : $"{file} cannot be read: {exception.Message}", exception);
        }
    }

    private static void Write(TextWriter output, FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
