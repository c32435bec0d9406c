using System.Text.Json.Serialization;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity;

/// <summary>An account, as its owner and administrators see it.</summary>
/// <param name="UserId">UUID version 7.</param>
/// <param name="Id">The same as <c>user_id</c>: clients of older systems read either.</param>
/// <param name="Phone">As entered.</param>
/// <param name="Locale">BCP 47.</param>
public sealed record UserView(
    Guid UserId,
    Guid Id,
    string Email,
    string FullName,
    string? Phone,
    Role Role,
    string Locale,
    bool EmailVerified,
    bool TwoFactorEnabled,
    DateTimeOffset CreatedAt)
{
    internal static UserView Of(Account account, bool twoFactorEnabled) => new(
        account.Id.Value,
        account.Id.Value,
        account.Email.Value,
        account.FullName,
        account.Phone,
        account.Role,
        account.Locale,
        account.OwnsEmail,
        twoFactorEnabled,
        account.CreatedAt);
}

/// <summary>A session has begun.</summary>
/// <param name="AccessToken">JWT; send it as <c>Authorization: Bearer</c>.</param>
/// <param name="RefreshToken">Good for one refresh, which answers its successor.</param>
/// <param name="ExpiresIn">Seconds until the access token expires.</param>
/// <param name="TokenType">Always <c>Bearer</c>.</param>
public sealed record SignedIn(string AccessToken, string RefreshToken, int ExpiresIn, string TokenType, UserView User);

/// <summary>Either a session has begun, or, when <c>requires_2fa</c> is true, a code is needed first.</summary>
/// <param name="ExpiresIn">Seconds until the access token expires, or the challenge.</param>
/// <param name="ChallengeToken">Send it with the code to <c>/auth/2fa/verify</c>.</param>
public sealed record SignInAnswer(
    [property: JsonPropertyName("requires_2fa")] bool RequiresTwoFactor,
    int ExpiresIn,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ChallengeToken,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? AccessToken,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RefreshToken,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? TokenType,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] UserView? User)
{
    internal static SignInAnswer Of(SignedIn session) =>
        new(false, session.ExpiresIn, null, session.AccessToken, session.RefreshToken, session.TokenType, session.User);

    internal static SignInAnswer CodeNeeded(string challengeToken, TimeSpan lifetime) =>
        new(true, (int)lifetime.TotalSeconds, challengeToken, null, null, null, null);
}

/// <summary>One sentence for the person; nothing for programs.</summary>
public sealed record Message([property: JsonPropertyName("message")] string Text);
