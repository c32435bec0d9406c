using System.Text.Json;
using Vtp.Application.Tenancy.Archives;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Infrastructure.Archives;

/// <summary>What the files of one archive must agree on.</summary>
internal sealed class ArchiveVerifier(ArchiveManifest manifest, DateTimeOffset now)
{
    // More rows that others refer to than any organization has; each is kept in memory.
    public const int MaximumReferred = 1_000_000;

    // The longest retention, and two months of clocks that differ.
    private const int LongestKept = Organization.MaximumAuditRetentionDays + 62;

    /// <summary>Ids of the rows of each file that others refer to.</summary>
    private readonly Dictionary<string, HashSet<Guid>> _ids = new(StringComparer.Ordinal)
    {
        [ArchiveTables.Accounts] = [],
        [ArchiveTables.Projects] = [],
    };

    private readonly HashSet<Guid> _members = [];

    /// <summary>The addresses of the people in it.</summary>
    public Dictionary<Guid, string> People { get; } = [];

    /// <summary>Projects of which the trail speaks and which the archive does not have, each with its line.</summary>
    public Dictionary<Guid, long> GoneProjects { get; } = [];

    /// <summary>The months until which its entries of the trail are kept.</summary>
    public HashSet<DateOnly> KeptUntil { get; } = [];

    public ArchiveManifest Manifest => manifest;

    public ArchiveTableVerifier Of(ArchiveTable table, IReadOnlyList<ArchiveColumn> columns) => new(this, table, columns);

    /// <returns>What is wrong with the row as a part of this archive; null for nothing.</returns>
    public string? Judge(ArchiveTable table, JsonElement row, Guid id, long number)
    {
        var isRoot = table.Name == ArchiveTables.RootOf(manifest.Kind);
        var owner = manifest.Kind == ArchiveKind.Organization ? table.Owner : table.Project;
        if (owner is not null && GuidOf(row, owner) != manifest.Id)
        {
            return $"{owner} is not the id of the {(manifest.Kind == ArchiveKind.Organization ? "organization" : "project")} in the manifest";
        }

        if (isRoot && row.GetProperty("name").GetString() != manifest.Name)
        {
            return "name is not the name in the manifest";
        }

        foreach (var (column, other) in table.References)
        {
            if (GuidOf(row, column) is not { } referred || !_ids[other].Contains(referred))
            {
                return $"{column} names nothing in {other}.jsonl";
            }
        }

        if (_ids.TryGetValue(table.Name, out var ids) && ids.Add(id) && ids.Count > MaximumReferred)
        {
            return "there are too many rows before this one";
        }

        switch (table.Name)
        {
            case ArchiveTables.Accounts:
                People[id] = row.GetProperty("email").GetString()!;
                break;
            case ArchiveTables.Members when !_members.Add(GuidOf(row, "account_id")!.Value):
                return "account_id is a member already";
            case ArchiveTables.AuditEntries:
                return JudgeEntry(row, number);
        }

        return null;
    }

    /// <summary>Once every file has been read.</summary>
    public void Finish()
    {
        if (People.Keys.FirstOrDefault(person => !_members.Contains(person)) is var stranger && stranger != Guid.Empty)
        {
            throw new ArchiveFault($"{ArchiveTables.Accounts}.jsonl", $"The account {stranger} is no member's.");
        }
    }

    private string? JudgeEntry(JsonElement row, long number)
    {
        if (GuidOf(row, ArchiveTables.ProjectId) is { } project && !_ids[ArchiveTables.Projects].Contains(project))
        {
            GoneProjects.TryAdd(project, number);
            if (GoneProjects.Count > MaximumReferred)
            {
                return "there are too many projects before this one";
            }
        }

        if (ArchiveColumn.TimeOf(row.GetProperty("kept_until")) is not { } kept || kept > now.AddDays(LongestKept))
        {
            return "kept_until is later than any retention";
        }

        KeptUntil.Add(new DateOnly(kept.Year, kept.Month, 1));
        return null;
    }

    public static Guid? GuidOf(JsonElement row, string column) =>
        row.TryGetProperty(column, out var value) && value.ValueKind == JsonValueKind.String ? value.GetGuid() : null;
}

/// <summary>Verifies one file, line by line.</summary>
internal sealed class ArchiveTableVerifier(ArchiveVerifier archive, ArchiveTable table, IReadOnlyList<ArchiveColumn> columns)
{
    private readonly Dictionary<string, ArchiveColumn> _byName = columns.ToDictionary(column => column.Name, StringComparer.Ordinal);

    /// <summary>Those of the first line, which all others repeat.</summary>
    private List<ArchiveColumn>? _present;

    private string _lastId = "";
    private long _number;

    public void Verify(byte[] line)
    {
        _number++;
        try
        {
            using var document = JsonDocument.Parse(line);
            Verify(document.RootElement);
        }
        catch (JsonException exception)
        {
            throw Fault("this is not JSON", exception);
        }
    }

    /// <returns>The columns that the file has.</returns>
    public IReadOnlyList<ArchiveColumn> Finish(long rows)
    {
        if (_number != rows)
        {
            throw new ArchiveFault(table.File, "It does not have as many rows as the manifest says.");
        }

        return table.Name != ArchiveTables.RootOf(archive.Manifest.Kind) || rows == 1
            ? _present ?? []
            : throw new ArchiveFault(table.File, "It has one row.");
    }

    private void Verify(JsonElement row)
    {
        if (row.ValueKind != JsonValueKind.Object)
        {
            throw Fault("this is not an object");
        }

        var fields = row.EnumerateObject().ToList();
        _present ??= Present(fields);
        if (fields.Count != _present.Count || fields.Where((field, index) => NameOf(field) != _present[index].Name).Any())
        {
            throw Fault("its columns are not those of the first line");
        }

        foreach (var (column, value) in _present.Zip(fields, (column, field) => (column, field.Value)))
        {
            if (!column.Admits(value))
            {
                throw Fault($"{column.Name} is not a value of the type {column.Type}, as archives write it");
            }

            if (value.ValueKind != JsonValueKind.Null && table.Rules.GetValueOrDefault(column.Name) is { } rule && !rule.Holds(value))
            {
                throw Fault($"{column.Name} {rule.Sentence}");
            }
        }

        // In ascending order, which is how they are written, and so that none comes twice.
        var id = row.GetProperty("id").GetString()!;
        if (string.CompareOrdinal(id, _lastId) <= 0)
        {
            throw Fault("its id is not greater than the one before");
        }

        _lastId = id;
        if (archive.Judge(table, row, Guid.Parse(id), _number) is { } sentence)
        {
            throw Fault(sentence);
        }
    }

    private List<ArchiveColumn> Present(List<JsonProperty> fields)
    {
        var present = new List<ArchiveColumn>();
        foreach (var field in fields)
        {
            if (NameOf(field) is not { } name || !_byName.TryGetValue(name, out var column) || present.Contains(column))
            {
                throw Fault("it has a column that is unknown here, or one twice");
            }

            present.Add(column);
        }

        return columns.FirstOrDefault(column => !column.CanBeAbsent && !present.Contains(column)) is { } absent
            ? throw Fault($"the column {absent.Name} is missing")
            : present;
    }

    /// <returns>Null for a name that is no text: half of a surrogate pair.</returns>
    private static string? NameOf(JsonProperty field)
    {
        try
        {
            return field.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private ArchiveFault Fault(string sentence, Exception? inner = null) => new(table.File, $"Line {_number}: {sentence}.", inner);
}
