using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Npgsql;

namespace Vtp.Infrastructure.Archives;

/// <summary>A column as PostgreSQL's catalogue knows it.</summary>
/// <param name="Type">As <c>format_type</c> writes it.</param>
/// <param name="CanBeAbsent">An archive from before this column was added can be imported: the column may be null or fills itself.</param>
internal sealed partial record ArchiveColumn(string Name, string Type, bool IsNullable, bool CanBeAbsent)
{
    private const string Time = "timestamp with time zone";
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>The column as SQL that writes the same text on every server, whatever its settings are.</summary>
    public string Written => Type switch
    {
        Time => $"""to_char(t.{Name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
        "bytea" => $@"'\x' || encode(t.{Name}, 'hex')",
        "uuid" or "text" or "text[]" or "boolean" or "integer" or "bigint" or "jsonb" => $"t.{Name}",
        _ => throw new NotSupportedException($"Archives do not know how to write {Type}, the type of the column {Name}."),
    };

    public static DateTimeOffset? TimeOf(JsonElement value) =>
        DateTimeOffset.TryParseExact(value.GetString(), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <summary>Whether this is what <see cref="Written"/> writes.</summary>
    public bool Admits(JsonElement value) => value.ValueKind == JsonValueKind.Null ? IsNullable : Type switch
    {
        "uuid" => IsText(value) && Guid.TryParseExact(value.GetString(), "D", out var id) && id.ToString() == value.GetString(),
        "text" => IsText(value),
        "text[]" => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(IsText),
        Time => IsText(value) && TimeOf(value) is not null,
        "bytea" => IsText(value) && Hex().IsMatch(value.GetString()!),
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out _),
        "bigint" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "jsonb" => IsStorable(value),
        _ => false,
    };

    public static async Task<IReadOnlyList<ArchiveColumn>> OfAsync(NpgsqlDataSource database, ArchiveTable table, bool isOfProject, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull, atthasdef OR attidentity <> '' FROM pg_attribute
            WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = table.Name });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var columns = new List<ArchiveColumn>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (name, isNullable) = (reader.GetString(0), reader.GetBoolean(2));
            var isIn = table.Only?.Contains(name, StringComparer.Ordinal) ?? !table.Without.Contains(name, StringComparer.Ordinal);
            if (isIn && !(isOfProject && name == table.Owner))
            {
                columns.Add(new ArchiveColumn(name, reader.GetString(1), isNullable, isNullable || reader.GetBoolean(3)));
            }
        }

        return columns;
    }

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String && IsStorable(() => value.GetString()!);

    /// <summary>PostgreSQL stores neither NUL nor half of a surrogate pair; the JSON reader throws when it is asked for the latter.</summary>
    private static bool IsStorable(Func<string> text)
    {
        try
        {
            return !text().Contains('\0', StringComparison.Ordinal);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsStorable(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => IsText(value),
        JsonValueKind.Array => value.EnumerateArray().All(IsStorable),
        JsonValueKind.Object => value.EnumerateObject().All(field => IsStorable(() => field.Name) && IsStorable(field.Value)),
        _ => true,
    };

    [GeneratedRegex(@"^\\x([0-9a-f]{2})*\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Hex();
}
