using System.Text.Json;

namespace Vtp.Domain.Audit;

/// <summary>Reads JSON that somebody may have written to mislead: what is not as agreed is absent, and nothing throws but where said.</summary>
internal static class AuditJson
{
    // One name used twice is how two readers of one text come to see two texts.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Throws <see cref="JsonException"/> for what is not one JSON object with each name once.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8)
    {
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(utf8, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document : throw new JsonException("It is no object.");
        }
        catch (InvalidOperationException exception)
        {
            // A name with half of a surrogate pair cannot be compared with the others.
            document?.Dispose();
            throw new JsonException("A name is not valid Unicode.", exception);
        }
        catch (JsonException)
        {
            document?.Dispose();
            throw;
        }
    }

    public static string? Text(this JsonElement owner, string name)
    {
        try
        {
            return owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // Half of a surrogate pair.
        }
    }

    /// <summary>True, with null, for null; false when it is neither null nor a UUID.</summary>
    public static bool TryUuid(this JsonElement owner, string name, out Guid? uuid)
    {
        uuid = owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetGuid(out var found) ? found : null;
        return uuid is not null || value.ValueKind == JsonValueKind.Null;
    }

    /// <summary>An integer from 1 to <see cref="AuditChain.LastSequence"/>.</summary>
    public static long? Sequence(this JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var value) ? value.Sequence() : null;

    public static long? Sequence(this JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number is >= 1 and <= AuditChain.LastSequence ? number : null;

    /// <summary>Seconds since 1970 (RFC 7519's NumericDate, whole).</summary>
    public static DateTimeOffset? Time(this JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out var seconds) && seconds is >= 0 and <= 253_402_300_799 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
}
