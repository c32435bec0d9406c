using System.Text.Json;
using Vtp.Api.Http;
using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.SocketIo;

/// <summary>What a client emitted, or how it acknowledged.</summary>
/// <param name="Name">Empty of an acknowledgement.</param>
/// <param name="Arguments">Behind the name.</param>
/// <param name="Attachments">That placeholders in the arguments refer to, each checked to be there.</param>
/// <param name="WantsAnswer">The client has asked for an acknowledgement.</param>
internal sealed record SocketEvent(
    string Name, IReadOnlyList<JsonElement> Arguments, IReadOnlyList<ReadOnlyMemory<byte>> Attachments, bool WantsAnswer)
{
    private const int MaximumName = 200;
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 32 };

    // The client's own, which nobody may send it.
    private static readonly HashSet<string> Reserved =
        new(StringComparer.Ordinal) { "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener" };

    public static bool IsReserved(string name) => Reserved.Contains(name);

    /// <returns>Null for what is malformed.</returns>
    public static SocketEvent? Read(SocketPacket packet, IReadOnlyList<ReadOnlyMemory<byte>> attachments)
    {
        if (!TryParse(packet.Data, out var json) || json.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        JsonElement[] all = [.. json.EnumerateArray()];
        if (attachments.Count > 0 && !Array.TrueForAll(all, element => HasGoodPlaceholders(element, attachments.Count)))
        {
            return null;
        }

        if (packet.Type is SocketPacketType.Ack or SocketPacketType.BinaryAck)
        {
            return new SocketEvent("", all, attachments, WantsAnswer: false);
        }

        return all is [var first, ..] && TextOf(first) is { Length: <= MaximumName } name && !IsReserved(name)
            ? new SocketEvent(name, all[1..], attachments, packet.Id is not null)
            : null;
    }

    /// <summary>Beyond the memory that it was read into.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> text, out JsonElement json)
    {
        json = default;
        try
        {
            json = JsonElement.Parse(text.Span, Reading);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whole Unicode; null for what is none (half of a surrogate pair, which JSON can spell), or no text.</summary>
    public static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The first argument, as an object or as text that holds one.</summary>
    public Result<T> Payload<T>()
        where T : notnull
    {
        try
        {
            var found = Arguments.Count == 0 || Arguments[0].ValueKind == JsonValueKind.Null ? JsonSerializer.Deserialize<T>("{}", Json.Options)
                : Arguments[0].ValueKind == JsonValueKind.String && typeof(T) != typeof(string) ? JsonSerializer.Deserialize<T>(TextOf(Arguments[0]) ?? "", Json.Options)
                : Arguments[0].Deserialize<T>(Json.Options);
            return found is null ? Malformed : found;
        }
        catch (JsonException exception) when (exception.Path is { Length: > 2 } path)
        {
            return Refusal.Field(path[2..], Malformed.Code, "This value is not of the expected form.");
        }
        catch (JsonException)
        {
            return Malformed;
        }
    }

    private static readonly Refusal Malformed = new(RefusalKind.Invalid, "request.malformed_json", "The event's argument is not of the expected form.");

    /// <summary>One that points nowhere would break the client to whom it is passed on.</summary>
    private static bool HasGoodPlaceholders(JsonElement element, int attachments) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().All(one => HasGoodPlaceholders(one, attachments)),
        JsonValueKind.Object when element.TryGetProperty("_placeholder", out var mark) && mark.ValueKind == JsonValueKind.True =>
            element.TryGetProperty("num", out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out var index) && index >= 0 && index < attachments,
        JsonValueKind.Object => element.EnumerateObject().All(one => HasGoodPlaceholders(one.Value, attachments)),
        _ => true,
    };
}

/// <summary>What a handler says to an event: an answer, which the client is sent if it asked for one, or a refusal.</summary>
internal readonly record struct SocketReply(object? Answer, Refusal? Refusal)
{
    /// <summary>An acknowledgement without anything in it.</summary>
    public static readonly SocketReply Nothing;

    /// <summary>JSON as it was received, sent on as it is.</summary>
    public static SocketReply Raw(IReadOnlyList<JsonElement> arguments, IReadOnlyList<ReadOnlyMemory<byte>> attachments) => new(new RawReply(arguments, attachments), null);

    public static SocketReply Of<T>(Result<T> result)
        where T : notnull => result.Match(answer => new SocketReply(answer, null), refusal => new SocketReply(null, refusal));

    internal sealed record RawReply(IReadOnlyList<JsonElement> Arguments, IReadOnlyList<ReadOnlyMemory<byte>> Attachments);
}

/// <summary>A refusal as clients of a socket read it.</summary>
/// <param name="Error">Stable code for programs.</param>
/// <param name="Message">One sentence for the person who reads it.</param>
internal sealed record SocketProblem(
    string Error,
    string Message,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    IReadOnlyDictionary<string, string[]>? Errors)
{
    public static SocketProblem Of(Refusal refusal) => new(refusal.Code, refusal.Detail, refusal.Errors);
}
