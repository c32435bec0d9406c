using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity;

/// <summary>
/// Hashes and checks passwords, a bounded number at a time: one takes a large part of a tenth of a second of one core.
/// When too many wait, it refuses with <see cref="RefusalKind.Busy"/> instead of queueing without end.
/// </summary>
public interface IPasswordHasher
{
    /// <summary>Turns a flood away before it costs a read: what a hash would be refused with now, or null while there is room.</summary>
    /// <param name="cancellationToken">Of the request, which may wait a quarter of a second for room.</param>
    ValueTask<Refusal?> EnterAsync(CancellationToken cancellationToken);

    /// <param name="password">In clear; never kept.</param>
    /// <param name="sharingSaltWith">
    /// Another hash of the same address. Accounts that claim one address share their salt, so that a sign-in costs one
    /// hash however many claims there are, and its time says nothing about them.
    /// </param>
    /// <param name="cancellationToken">Gives up its place in the queue.</param>
    /// <returns>A PHC string.</returns>
    Task<Result<string>> HashAsync(string password, string? sharingSaltWith, CancellationToken cancellationToken);

    /// <summary>As dear to guess as a password's hash: 64 bytes, the same each time (PBKDF2-HMAC-SHA512, RFC 8018).</summary>
    Task<Result<byte[]>> StretchAsync(byte[] secret, byte[] salt, CancellationToken cancellationToken);

    /// <summary>Finds the hash that this password made. Takes as long when there is none to compare with.</summary>
    Task<Result<PasswordMatch>> FindAsync(string password, IReadOnlyList<string?> hashes, CancellationToken cancellationToken);
}

/// <param name="Index">Of the hash that matched, or -1.</param>
/// <param name="Upgraded">A hash by today's rules, when the one that matched is older.</param>
public sealed record PasswordMatch(int Index, string? Upgraded)
{
    public static readonly PasswordMatch None = new(-1, null);
}

/// <summary>
/// Reads a person's own account, at every start of every client: a path so hot that building and recognising the
/// query's expression, about as much work as running it, was a large part of the request.
/// </summary>
public interface IProfiles
{
    Task<UserView?> FindAsync(AccountId id, CancellationToken cancellationToken);
}

/// <summary>Signs and checks access tokens: JWT, ES256 with <c>kid</c> (RFC 7519, RFC 7518 section 3.4).</summary>
public interface IAccessTokens
{
    TimeSpan Lifetime { get; }

    string Issue(Account account, Session session);
}

/// <summary>The public halves of the keys that sign access tokens.</summary>
public interface ISigningKeys
{
    /// <summary>RFC 7517, one entry a key that may have signed a token still in use.</summary>
    IReadOnlyList<JsonWebKey> PublicKeys { get; }

    /// <summary>Makes a successor. It is published at once, signs a minute later, and the old one stays until its last token has expired.</summary>
    Task<string> RotateAsync(CancellationToken cancellationToken);
}

/// <param name="Kid">Names the key in a token's header.</param>
/// <param name="X">Base64url of the point's x coordinate.</param>
/// <param name="Y">Base64url of the point's y coordinate.</param>
public sealed record JsonWebKey(string Kid, string X, string Y)
{
    public string Kty { get; } = "EC";

    public string Crv { get; } = "P-256";

    public string Alg { get; } = "ES256";

    public string Use { get; } = "sig";
}

/// <summary>Draws the picture that an authenticator app scans.</summary>
public interface IQrCodes
{
    /// <returns>A PNG.</returns>
    byte[] Draw(string text);
}

/// <summary>Where people are sent by mails and messages.</summary>
public interface ILinks
{
    string VerifyEmail(string token);

    string ResetPassword(string token);

    string ForgotPassword { get; }

    string AcceptInvitation(string token);

    /// <summary>The same page, before anybody shows a token.</summary>
    string Invitations { get; }

    string Setup(string token);
}
