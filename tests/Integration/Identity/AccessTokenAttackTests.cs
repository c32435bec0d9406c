using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

public sealed class AccessTokenAttackTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task A_token_without_a_signature_is_refused_whatever_it_says_of_itself()
    {
        var person = await api.RegisterAsync();
        var (_, claims, _) = Parts(person.AccessToken);

        foreach (var algorithm in new[] { "none", "None", "NONE", "", "HS256", "RS256", "ES384" })
        {
            var header = Encode(new JsonObject { ["alg"] = algorithm, ["typ"] = "at+jwt" });
            await ShouldBeRefusedAsync($"{header}.{claims}.");
            await ShouldBeRefusedAsync($"{header}.{claims}");
        }
    }

    [Fact]
    public async Task The_public_key_does_not_serve_as_an_hmac_secret()
    {
        var person = await api.RegisterAsync();
        var (header, claims, _) = Parts(person.AccessToken);
        var key = (await api.GetAsync("/.well-known/jwks.json")).Body.GetProperty("keys")[0];
        var confused = Decode(header);
        confused["alg"] = "HS256";
        var signed = $"{Encode(confused)}.{claims}";

        foreach (var secret in new[] { key.GetRawText(), key.GetProperty("x").GetString()! })
        {
            var signature = Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.ASCII.GetBytes(secret), Encoding.ASCII.GetBytes(signed)));
            await ShouldBeRefusedAsync($"{signed}.{signature}");
        }
    }

    [Fact]
    public async Task A_foreign_key_is_refused_also_when_the_token_brings_or_points_to_it()
    {
        var person = await api.RegisterAsync();
        var (header, claims, _) = Parts(person.AccessToken);
        using var foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = foreign.ExportParameters(false).Q;
        var jwk = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) };

        foreach (var (name, value) in new (string, JsonNode?)[]
            { ("kid", Decode(header)["kid"]!.DeepClone()), ("kid", "other"), ("jwk", jwk), ("jku", "https://attacker.example/jwks.json"), ("x5u", "https://attacker.example/cert") })
        {
            var forged = Decode(header);
            forged[name] = value;
            await ShouldBeRefusedAsync(Sign($"{Encode(forged)}.{claims}", foreign));
        }
    }

    [Fact]
    public async Task A_changed_payload_is_refused()
    {
        var person = await api.RegisterAsync();
        var (header, claims, signature) = Parts(person.AccessToken);

        foreach (var (name, value) in new (string, JsonNode)[] { ("role", "admin"), ("sub", Guid.CreateVersion7()), ("exp", 4_000_000_000) })
        {
            var changed = Decode(claims);
            changed[name] = value;
            await ShouldBeRefusedAsync($"{header}.{Encode(changed)}.{signature}");
        }
    }

    [Fact]
    public async Task An_expired_token_is_refused_to_the_second_also_when_it_was_accepted_before()
    {
        var person = await api.RegisterAsync();
        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);

        api.Clock.Advance(TimeSpan.FromMinutes(59));
        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);
        api.Clock.Advance(TimeSpan.FromMinutes(1));

        await ShouldBeRefusedAsync(person.AccessToken);
    }

    [Fact]
    public async Task A_token_that_is_not_valid_yet_is_refused()
    {
        api.Clock.Advance(TimeSpan.FromMinutes(10));
        var person = await api.RegisterAsync();
        api.Clock.SetBack(TimeSpan.FromMinutes(10));

        await ShouldBeRefusedAsync(person.AccessToken);
    }

    [Fact]
    public async Task A_refresh_token_does_not_serve_as_an_access_token_nor_the_other_way_round()
    {
        var person = await api.RegisterAsync();

        await ShouldBeRefusedAsync(person.RefreshToken);
        (await api.PostAsync("auth/refresh", new { refresh_token = person.AccessToken })).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a.b.c")]
    [InlineData("....")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.e30.AAAA")]
    public Task Nonsense_is_refused(string token) => ShouldBeRefusedAsync(token);

    private async Task ShouldBeRefusedAsync(string token)
    {
        var answer = await api.SendAsync(HttpMethod.Get, "auth/profile", headers: ("Authorization", $"Bearer {token}"));
        answer.Status.Should().Be(HttpStatusCode.Unauthorized, token);
        answer.Error.Should().Be("auth.required");
        answer.Headers.WwwAuthenticate.ToString().Should().StartWith("Bearer");
    }

    private static (string Header, string Claims, string Signature) Parts(string token) =>
        token.Split('.') is [var header, var claims, var signature] ? (header, claims, signature) : throw new FormatException(token);

    private static JsonObject Decode(string segment) => JsonNode.Parse(Base64Url.DecodeFromChars(segment))!.AsObject();

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));

    private static string Sign(string signed, ECDsa key) =>
        $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
}
