using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;
using Vtp.Infrastructure.Realtime.Dashboard;

namespace Vtp.Infrastructure.Tokens;

/// <summary>Checks the token of a request.</summary>
public interface IAccessTokenReader
{
    /// <returns>Null for anything but a token of ours that is good now, of a session that has not ended.</returns>
    ValueTask<SignedInAs?> ReadAsync(ReadOnlySpan<char> token, CancellationToken cancellationToken);
}

/// <summary>
/// JWT access tokens (RFC 7519, RFC 9068), ES256 only. A token that was checked once is remembered with its claims until
/// it expires: afterwards a request costs a look-up, its time limits and its session's revocation, no curve arithmetic.
/// </summary>
internal sealed class AccessTokens(
    SigningKeys keys, IOptions<TokenOptions> options, Sessions.EndedSessions endedSessions, SeenAccounts seenAccounts, TimeProvider clock)
    : IAccessTokens, IAccessTokenReader
{
    internal static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    private const int SignatureLength = 64;
    private const int MaximumLength = 4096;
    internal const string Algorithm = "ES256";

    private readonly TokenOptions _options = options.Value;
    private readonly RecentTokens _recent = new(capacity: 100_000);

    public TimeSpan Lifetime => _options.AccessLifetime;

    public string Issue(Account account, Session session)
    {
        var (key, now) = (keys.Current, clock.GetUtcNow());
        var claims = JsonSerializer.SerializeToUtf8Bytes(
            new Claims(
                _options.Issuer,
                _options.Audience,
                account.Id.Value,
                session.Id.Value,
                account.Role,
                now.ToUnixTimeSeconds(),
                now.ToUnixTimeSeconds(),
                (now + _options.AccessLifetime).ToUnixTimeSeconds(),
                session.AuthenticatedAt.ToUnixTimeSeconds(),
                session.Methods,
                Guid.CreateVersion7(now)),
            TokenJson.Default.Claims);
        var signed = $"{key.Header}.{Base64Url.EncodeToString(claims)}";
        Span<byte> signature = stackalloc byte[SignatureLength];
        key.Sign(Encoding.ASCII.GetBytes(signed), signature);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    public ValueTask<SignedInAs?> ReadAsync(ReadOnlySpan<char> token, CancellationToken cancellationToken) =>
        Find(token) is { } verified ? CallerOfAsync(verified, cancellationToken) : default;

    /// <returns>As <see cref="ReadAsync"/>, with the time at which it expires.</returns>
    public async ValueTask<VerifiedToken?> CheckAsync(string token, CancellationToken cancellationToken) =>
        Find(token) is { } verified && await CallerOfAsync(verified, cancellationToken) is not null ? verified : null;

    private VerifiedToken? Find(ReadOnlySpan<char> token)
    {
        if (_recent.TryGet(token, out var verified))
        {
            return verified;
        }

        var text = token.ToString();
        verified = Verify(text);
        if (verified is not null)
        {
            _recent.Add(text, verified);
        }

        return verified;
    }

    private async ValueTask<SignedInAs?> CallerOfAsync(VerifiedToken verified, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (now >= verified.ExpiresAt
            || now < verified.NotBefore - Skew
            || keys.Find(verified.Kid) is null
            || await endedSessions.ContainsAsync(verified.Caller.SessionId, cancellationToken))
        {
            return null;
        }

        seenAccounts.Note(verified.Caller.AccountId.Value);
        return verified.Caller;
    }

    private VerifiedToken? Verify(string token)
    {
        if (token.Length > MaximumLength || token.Split('.') is not [var headerText, var claimsText, var signatureText])
        {
            return null;
        }

        if (Decode(headerText, TokenJson.Default.Header) is not { Alg: Algorithm, Kid: { } kid, HasForeignKey: false } || keys.Find(kid) is not { } key)
        {
            return null;
        }

        Span<byte> signature = stackalloc byte[SignatureLength];
        if (!Base64Url.IsValid(signatureText, out var length)
            || length != SignatureLength
            || !Base64Url.TryDecodeFromChars(signatureText, signature, out _)
            || !key.Verify(Encoding.ASCII.GetBytes(token, 0, headerText.Length + 1 + claimsText.Length), signature))
        {
            return null;
        }

        if (Decode(claimsText, TokenJson.Default.Claims) is not { } claims || claims.Iss != _options.Issuer || claims.Aud != _options.Audience || claims.Exp == 0)
        {
            return null;
        }

        return new VerifiedToken(
            new SignedInAs(
                new AccountId(claims.Sub), new SessionId(claims.Sid), claims.Role, DateTimeOffset.FromUnixTimeSeconds(claims.AuthTime)),
            kid,
            DateTimeOffset.FromUnixTimeSeconds(claims.Nbf),
            DateTimeOffset.FromUnixTimeSeconds(claims.Exp));
    }

    private static T? Decode<T>(string segment, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        if (!Base64Url.IsValid(segment))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(Base64Url.DecodeFromChars(segment), type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

internal sealed record VerifiedToken(SignedInAs Caller, string Kid, DateTimeOffset NotBefore, DateTimeOffset ExpiresAt);

/// <summary>JOSE header. Keys that a token brings along or points to are a reason to refuse it.</summary>
internal sealed record Header(string? Alg, string? Kid, JsonElement Jwk, JsonElement Jku, JsonElement X5u, JsonElement X5c, JsonElement Crit)
{
    public bool HasForeignKey =>
        (Jwk.ValueKind, Jku.ValueKind, X5u.ValueKind, X5c.ValueKind, Crit.ValueKind) != default((JsonValueKind, JsonValueKind, JsonValueKind, JsonValueKind, JsonValueKind));
}

internal sealed record Claims(
    string Iss, string Aud, Guid Sub, Guid Sid, Role Role, long Iat, long Nbf, long Exp, long AuthTime, string[] Amr, Guid Jti);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters = [typeof(RoleConverter)],
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(Header))]
[JsonSerializable(typeof(Claims))]
internal sealed partial class TokenJson : JsonSerializerContext;

/// <summary>The words of the API: student, teacher, admin.</summary>
internal sealed class RoleConverter() : JsonStringEnumConverter<Role>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false);
