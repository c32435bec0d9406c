using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vtp.Domain.Common;

namespace Vtp.Domain.Rooms.LiveKit;

/// <summary>The API keys of LiveKit and their secrets; several while they are rotated.</summary>
public sealed class LiveKitKeys(IReadOnlyDictionary<string, string> secrets)
{
    /// <summary>LiveKit's clock and ours.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);

    private const int MaximumTokenLength = 4096;
    private const string Bearer = "Bearer ";

    public bool IsEmpty => secrets.Count == 0;

    /// <summary>
    /// Whether LiveKit sent this body: <c>Authorization</c> is a JWT (RFC 7519) of HS256, whatever else it asks for, by a key of ours,
    /// within its time, and its <c>sha256</c> is the base64 of the body's.
    /// </summary>
    /// <returns>Why not; null when it did.</returns>
    public Refusal? Refuses(string? authorization, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var token = authorization?.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) == true ? authorization[Bearer.Length..] : authorization;
        if (token is not { Length: > 0 and <= MaximumTokenLength }
            || token.Split('.') is not [var headerText, var claimsText, var signatureText]
            || Decode(headerText) is not { } header
            || Text(header, "alg") != "HS256"
            || header.TryGetProperty("crit", out _)
            || Decode(claimsText) is not { } claims
            || Text(claims, "iss") is not { } issuer
            || !secrets.TryGetValue(issuer, out var secret)
            || !Base64Url.IsValid(signatureText))
        {
            return LiveKitRefusals.SignatureRejected;
        }

        var expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes($"{headerText}.{claimsText}"));
        if (!CryptographicOperations.FixedTimeEquals(expected, Base64Url.DecodeFromChars(signatureText)))
        {
            return LiveKitRefusals.SignatureRejected;
        }

        if (Time(claims, "exp") is not { } expiry || now >= expiry + Leeway || (Time(claims, "nbf") is { } start && now < start - Leeway))
        {
            return LiveKitRefusals.Expired;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        return Convert.TryFromBase64String(Text(claims, "sha256") ?? "", hash, out var length)
            && length == hash.Length
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(body), hash)
            ? null
            : LiveKitRefusals.BodyRejected;
    }

    private static JsonElement? Decode(string segment)
    {
        if (!Base64Url.IsValid(segment))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<JsonElement>(Base64Url.DecodeFromChars(segment)) is { ValueKind: JsonValueKind.Object } json ? json : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static DateTimeOffset? Time(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds) && seconds is >= 0 and < 253402300799
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}

public static class LiveKitRefusals
{
    public static readonly Refusal NotConfigured = new(
        RefusalKind.NotFound, "livekit.not_configured", "This server has no key of LiveKit: its operator sets LiveKit__ApiKey and LiveKit__ApiSecret.");

    public static readonly Refusal SignatureRejected = new(
        RefusalKind.Unauthenticated, "livekit.signature_rejected", "Authorization is no token that a key of this server's LiveKit has signed with HS256.");

    public static readonly Refusal Expired = new(
        RefusalKind.Unauthenticated, "livekit.token_expired", "The token is not valid at this time. Do both clocks go right?");

    public static readonly Refusal BodyRejected = new(
        RefusalKind.Unauthenticated, "livekit.body_rejected", "The body is not the one that was signed.");

    public static readonly Refusal Malformed = new(
        RefusalKind.Invalid, "livekit.event_malformed", "The body is no event of LiveKit: a JSON object with the text 'event'.");
}
