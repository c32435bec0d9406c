using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Json;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.Signaling;

/// <summary>What a client said: an object, or text that holds one, with names in snake_case or camelCase.</summary>
internal readonly struct SignalPayload
{
    public static readonly Refusal TooLarge = new(RefusalKind.Invalid, "signaling.too_large", "The message is too large: 65,536 bytes at most.");

    private const int MaximumBytes = 64 * 1024;

    private static readonly Refusal Malformed = new(RefusalKind.Invalid, "request.malformed_json", "The event's argument is an object of JSON, or text that holds one.");

    private readonly JsonElement _json;

    private SignalPayload(JsonElement json) => (_json, Length) = (json, JsonMarshal.GetRawUtf8Value(json).Length);

    /// <summary>Bytes.</summary>
    public int Length { get; }

    public static Result<SignalPayload> Read(SocketEvent happened)
    {
        var first = happened.Arguments.Count == 0 ? default : happened.Arguments[0];
        if (SocketEvent.TextOf(first) is { } text && !SocketEvent.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out first))
        {
            return Malformed;
        }

        if (first.ValueKind != JsonValueKind.Object)
        {
            return Malformed;
        }

        var payload = new SignalPayload(first);
        return payload.Length <= MaximumBytes ? payload : TooLarge;
    }

    /// <param name="name">In snake_case; camelCase is found too.</param>
    /// <param name="value">Also null, where it was sent.</param>
    public bool TryGet(string name, out JsonElement value) => _json.TryGetProperty(name, out value) || _json.TryGetProperty(Camel(name), out value);

    /// <summary>The first of these names that holds text.</summary>
    public string? Text(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (TryGet(name, out var value) && SocketEvent.TextOf(value) is { Length: > 0 } text)
            {
                return text;
            }
        }

        return null;
    }

    public bool TryGetObject(string name, out JsonElement value) => TryGet(name, out value) && value.ValueKind == JsonValueKind.Object;

    [SuppressMessage("Globalization", "CA1308", Justification = "Names of fields.")]
    private static string Camel(string name) => JsonNamingPolicy.CamelCase.ConvertName(string.Concat(name.Split('_').Select(part => part.Length == 0 ? "" : char.ToUpperInvariant(part[0]) + part[1..])));
}

#pragma warning disable CA1001 // What it writes into is memory alone.
/// <summary>JSON of ours with parts of what clients sent in it, byte for byte.</summary>
internal sealed class SignalJson
{
    private readonly System.Buffers.ArrayBufferWriter<byte> _bytes = new(512);
    private readonly Utf8JsonWriter _json;

    public SignalJson()
    {
        _json = new Utf8JsonWriter(_bytes);
        _json.WriteStartObject();
    }

    public SignalJson Add(string name, object? value)
    {
        _json.WritePropertyName(name);
        if (value is JsonElement element)
        {
            _json.WriteRawValue(JsonMarshal.GetRawUtf8Value(element), skipInputValidation: true);
        }
        else
        {
            JsonSerializer.Serialize(_json, value, Http.Json.Options);
        }

        return this;
    }

    public ReadOnlyMemory<byte> Done()
    {
        _json.WriteEndObject();
        _json.Dispose();
        return _bytes.WrittenMemory;
    }
}
