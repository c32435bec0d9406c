using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Rooms;

/// <summary>Signs as LiveKit does, and wrongly where a test asks for it.</summary>
internal sealed record LiveKitSender(VtpApi Api)
{
    public const string Key = "APIvtpTest";
    public const string Secret = "a-secret-of-livekit-with-32-letters";

    public string SigningKey { get; init; } = Secret;

    public JsonObject Header { get; init; } = new() { ["alg"] = "HS256", ["typ"] = "JWT" };

    public string Issuer { get; init; } = Key;

    public string Path { get; init; } = "/api/v1/webhooks/livekit";

    public string ContentType { get; init; } = "application/webhook+json";

    public string Scheme { get; init; } = "";

    /// <summary>In place of the one that the body has.</summary>
    public string? BodyHash { get; init; }

    public TimeSpan NotBefore { get; init; } = TimeSpan.Zero;

    public TimeSpan Expires { get; init; } = TimeSpan.FromMinutes(5);

    public bool IsSigned { get; init; } = true;

    public static string Event(string id, string name = "room_started", string room = "lesson-1") =>
        JsonSerializer.Serialize(new { @event = name, id, createdAt = "1795240800", room = new { sid = "RM_1", name = room } });

    public async Task<Answer> SendAsync(string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Api.Url, Path)) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(ContentType);
        request.Headers.TryAddWithoutValidation("Authorization", Scheme + Token(body));
        return await Api.SendAsync(request);
    }

    private string Token(string body)
    {
        var now = Api.Clock.GetUtcNow();
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["nbf"] = (now + NotBefore).ToUnixTimeSeconds(),
            ["exp"] = (now + Expires).ToUnixTimeSeconds(),
            ["sha256"] = BodyHash ?? Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(body))),
        };
        var content = $"{Segment(Header)}.{Segment(claims)}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(SigningKey), Encoding.ASCII.GetBytes(content));
        return $"{content}.{(IsSigned ? Base64Url.EncodeToString(signature) : "")}";
    }

    private static string Segment(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
