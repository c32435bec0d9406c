using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>Somebody in a room, by one socket, as all nodes know it.</summary>
/// <param name="Role"><c>student</c>, <c>teacher</c>, <c>admin</c>, or <c>service</c> for a program.</param>
/// <param name="JoinedAt">Seconds since 1970.</param>
public sealed record Participant(string SocketId, Guid UserId, string Email, string FullName, string Role, bool IsProducer, bool IsHost, long JoinedAt)
{
    public ReadOnlyMemory<byte> Write() => JsonSerializer.SerializeToUtf8Bytes(this);

    public static Participant Read(ReadOnlyMemory<byte> data) => JsonSerializer.Deserialize<Participant>(data.Span)!;

    /// <param name="withEmail">For hosts, and for themselves.</param>
    public ParticipantView View(bool withEmail) => new(SocketId, UserId, withEmail ? Email : "", FullName, Role, IsProducer, IsConsumer: true, JoinedAt * 1000)
    {
        Aliases = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["socket_id"] = SocketId,
            ["user_id"] = UserId,
            ["email"] = withEmail ? Email : "",
            ["full_name"] = FullName,
            ["role"] = Role,
            ["is_producer"] = IsProducer,
            ["is_consumer"] = true,
            ["is_host"] = IsHost,
            ["joined_at"] = DateTimeOffset.FromUnixTimeSeconds(JoinedAt),
        },
    };
}

/// <summary>Somebody in a room. Each field also comes in snake_case, as everywhere else, and <c>is_host</c> beside them.</summary>
/// <param name="SocketId">Of this one connection; messages to them go there.</param>
/// <param name="UserId">Of the account, or of the API key.</param>
/// <param name="Email">Empty to all but the hosts and themselves.</param>
/// <param name="FullName">As they gave it when they joined, or as their account has it.</param>
/// <param name="Role">Of the account: <c>student</c>, <c>teacher</c>, <c>admin</c>, or <c>service</c> for a program.</param>
/// <param name="IsProducer">They said that they would send.</param>
/// <param name="IsConsumer">Always true.</param>
/// <param name="JoinedAt">Milliseconds since 1970, in whole seconds; <c>joined_at</c> is the same as a time.</param>
public sealed record ParticipantView(
    [property: JsonPropertyName("SocketID")] string SocketId,
    [property: JsonPropertyName("UserID")] Guid UserId,
    [property: JsonPropertyName("Email")] string Email,
    [property: JsonPropertyName("FullName")] string FullName,
    [property: JsonPropertyName("Role")] string Role,
    [property: JsonPropertyName("IsProducer")] bool IsProducer,
    [property: JsonPropertyName("IsConsumer")] bool IsConsumer,
    [property: JsonPropertyName("JoinedAt")] long JoinedAt)
{
    [JsonExtensionData]
    public IDictionary<string, object?>? Aliases { get; init; }
}
