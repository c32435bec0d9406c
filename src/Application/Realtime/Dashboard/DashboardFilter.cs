using System.Text.Json;
using Vtp.Domain.Common;
using Vtp.Domain.Realtime;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>What of their streams somebody wants to be told. A field that is absent leaves out nothing; all that are there must fit.</summary>
/// <param name="Types">Of numbers.</param>
/// <param name="UserIds">Whose activity.</param>
/// <param name="Levels">Of alerts.</param>
/// <param name="Sources">Of alerts.</param>
public sealed record DashboardFilter(
    IReadOnlyList<string>? Types = null, IReadOnlyList<Guid>? UserIds = null, IReadOnlyList<AlertLevel>? Levels = null, IReadOnlyList<string>? Sources = null)
{
    public static readonly DashboardFilter None = new();

    private const int MaximumValues = 50;
    private const int MaximumText = 100;
    private const int MaximumJson = 16_384;

    /// <param name="text">A JSON object; nothing for no filter.</param>
    public static Result<DashboardFilter> Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return None;
        }

        try
        {
            return text.Length > MaximumJson ? Malformed : None.With(JsonElement.Parse(text, new JsonDocumentOptions { MaxDepth = 4 }));
        }
        catch (JsonException)
        {
            return Malformed;
        }
    }

    /// <summary>Fields that are sent take the place of those before; null takes one away.</summary>
    public Result<DashboardFilter> With(JsonElement asked)
    {
        if (asked.ValueKind != JsonValueKind.Object)
        {
            return Malformed;
        }

        var (filter, errors) = (this, new Dictionary<string, string[]>(StringComparer.Ordinal));
        foreach (var field in asked.EnumerateObject())
        {
            var found = field.Name switch
            {
                "types" => Read(field.Value, TextOf) is { } types ? filter with { Types = types.Values } : null,
                "userIds" or "user_ids" => Read(field.Value, IdOf) is { } ids ? filter with { UserIds = ids.Values } : null,
                "levels" => Read(field.Value, LevelOf) is { } levels ? filter with { Levels = levels.Values } : null,
                "sources" => Read(field.Value, TextOf) is { } sources ? filter with { Sources = sources.Values } : null,
                _ => null,
            };
            if (found is null)
            {
                errors[$"filters.{field.Name}"] = [Knows(field.Name)];
            }

            filter = found ?? filter;
        }

        return errors.Count == 0 ? filter : Refusal.Invalid(errors);
    }

    public bool Admits(DashboardNotice notice) => notice.Event switch
    {
        DashboardMessages.SystemAlert => Holds(Levels, notice.Level!.Value) && Holds(Sources, notice.Source!),
        DashboardMessages.UserActivity => AdmitsActivityOf(notice.UserId),
        _ => Holds(Types, notice.Type!),
    };

    public bool AdmitsActivityOf(Guid? account) => UserIds is null || (account is { } id && UserIds.Contains(id));

    public override string ToString() => JsonSerializer.Serialize(this, DashboardMessages.Json);

    private static readonly Refusal Malformed = Refusal.Field("filters", "dashboard.filters_malformed", "Filters are a JSON object.");

    private static bool Holds<T>(IReadOnlyList<T>? wanted, T one) => wanted is null || wanted.Contains(one);

    private static string Knows(string field) => field switch
    {
        "types" or "sources" => $"At most {MaximumValues} texts of at most {MaximumText} characters.",
        "userIds" or "user_ids" => $"At most {MaximumValues} ids of accounts.",
        "levels" => "Levels are info, warning, error and critical.",
        _ => "There is no such filter. There are types, userIds, levels and sources.",
    };

    /// <returns>Null for what is no list of these; a list that is null for null.</returns>
    private static Wanted<T>? Read<T>(JsonElement json, Func<JsonElement, (bool IsOne, T Value)> read)
    {
        if (json.ValueKind == JsonValueKind.Null)
        {
            return new Wanted<T>(null);
        }

        if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() > MaximumValues)
        {
            return null;
        }

        var all = json.EnumerateArray().Select(read).ToList();
        return all.TrueForAll(one => one.IsOne) ? new Wanted<T>([.. all.Select(one => one.Value)]) : null;
    }

    private static (bool, string) TextOf(JsonElement json) =>
        json.ValueKind == JsonValueKind.String && json.GetString() is { Length: > 0 and <= MaximumText } text ? (true, text) : (false, "");

    private static (bool, Guid) IdOf(JsonElement json) =>
        json.ValueKind == JsonValueKind.String && json.TryGetGuid(out var id) ? (true, id) : (false, default);

    private static (bool, AlertLevel) LevelOf(JsonElement json) =>
        json.ValueKind == JsonValueKind.String && Enum.TryParse<AlertLevel>(json.GetString(), ignoreCase: true, out var level)
            && string.Equals(level.ToString(), json.GetString(), StringComparison.OrdinalIgnoreCase)
            ? (true, level)
            : (false, default);

    private sealed record Wanted<T>(IReadOnlyList<T>? Values);
}
