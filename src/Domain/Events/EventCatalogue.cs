using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vtp.Domain.Events;

/// <summary>
/// The data of one type of event: what its properties are called is what receivers read, so they are added to and never
/// renamed. A change that breaks receivers is a new type.
/// </summary>
/// <param name="type"><c>thing.what_happened</c></param>
/// <param name="summary">One sentence for those who receive it.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class EventAttribute(string type, string summary) : Attribute
{
    public string Type { get; } = type;

    public string Summary { get; } = summary;
}

/// <param name="Type"><c>thing.what_happened</c></param>
/// <param name="Data">Its fields.</param>
public sealed record EventKind(string Type, string Summary, Type Data);

/// <summary>Every type of event that there is.</summary>
public static class EventCatalogue
{
    /// <summary>Ends a pattern that means all types beginning like it: <c>project.*</c>; alone it means all.</summary>
    public const char Wildcard = '*';

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower), new UtcConverter() },
    };

    public static readonly IReadOnlyList<EventKind> All =
    [
        .. typeof(EventCatalogue).Assembly.GetTypes()
            .Select(data => (Data: data, Attribute: data.GetCustomAttribute<EventAttribute>()))
            .Where(found => found.Attribute is not null)
            .Select(found => new EventKind(found.Attribute!.Type, found.Attribute.Summary, found.Data))
            .OrderBy(kind => kind.Type, StringComparer.Ordinal),
    ];

    private static readonly Dictionary<Type, string> Types = All.ToDictionary(kind => kind.Data, kind => kind.Type);

    public static string TypeOf(object data) => Types[data.GetType()];

    public static string Write(object data) => JsonSerializer.Serialize(data, data.GetType(), Json);

    /// <summary>Whether it names a type, or the beginning of some.</summary>
    public static bool IsPattern(string pattern) => All.Any(kind => Matches(pattern, kind.Type));

    public static bool Matches(string pattern, string type) =>
        pattern.EndsWith(Wildcard) ? type.StartsWith(pattern[..^1], StringComparison.Ordinal) : string.Equals(pattern, type, StringComparison.Ordinal);

    private sealed class UtcConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(value.UtcDateTime);
    }
}
