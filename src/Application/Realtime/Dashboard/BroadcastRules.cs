using System.Text.Json;
using FluentValidation;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>What administrators may send to everybody who watches. Pages show it, so that names are words and nothing else.</summary>
internal static class BroadcastRules
{
    public const string Word = @"^[A-Za-z][A-Za-z0-9_.:-]{0,63}\z";
    public const string Name = @"^[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,99}\z";
    public const int MaximumMessage = 1000;

    private const int MaximumData = 16_384;

    public static void IsWord<T>(this IRuleBuilder<T, string?> rule) =>
        rule.NotEmpty().Matches(Word).WithMessage("Up to 64 letters, digits, dots, colons, hyphens and underscores, of which the first is a letter.");

    /// <summary>What older servers took for absent is refused as they did.</summary>
    public static void IsData<T>(this IRuleBuilder<T, JsonElement?> rule) =>
        rule.NotNull()
            .Must(data => data is not { } json || (json.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined or JsonValueKind.False) && json.GetRawText() is not ("\"\"" or "0")))
            .WithMessage("There is nothing to send.")
            .Must(IsSmall).WithMessage($"At most {MaximumData} bytes of JSON.");

    public static void IsObject<T>(this IRuleBuilder<T, JsonElement?> rule) =>
        rule.Must(json => json is null or { ValueKind: JsonValueKind.Object or JsonValueKind.Null or JsonValueKind.Undefined }).WithMessage("A JSON object.")
            .Must(IsSmall).WithMessage($"At most {MaximumData} bytes of JSON.");

    private static bool IsSmall(JsonElement? json) =>
        json is null or { ValueKind: JsonValueKind.Undefined } || System.Text.Encoding.UTF8.GetByteCount(json.Value.GetRawText()) <= MaximumData;
}
