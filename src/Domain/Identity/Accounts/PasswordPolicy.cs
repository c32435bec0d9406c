using System.Text;
using Vtp.Domain.Common;

namespace Vtp.Domain.Identity.Accounts;

/// <summary>The passwords that everybody tries first.</summary>
public interface ICommonPasswords
{
    bool Contains(string lowerCasePassword);
}

/// <summary>
/// Which passwords are accepted: by length and by not being guessable, never by composition (OWASP ASVS 5.0, 6.2).
/// </summary>
/// <param name="MinimumLength">In characters (Unicode code points); 15 is recommended without a second factor.</param>
public sealed record PasswordPolicy(int MinimumLength, ICommonPasswords Common)
{
    public const int MaximumLength = 128;

    // What is left of a password once the person's own words are taken out must be worth guessing.
    private const int MinimumOwnCharacters = 4;

    public Refusal? Check(string password, string fullName, EmailAddress email, string field = "password")
    {
        var length = password.EnumerateRunes().Count();
        if (length < MinimumLength)
        {
            return Refusal.Field(field, "password.too_short", $"Use at least {MinimumLength} characters.");
        }

        if (length > MaximumLength)
        {
            return Refusal.Field(field, "password.too_long", $"Use at most {MaximumLength} characters.");
        }

        var lowered = password.ToLowerInvariant();
        if (Common.Contains(lowered))
        {
            return Refusal.Field(field, "password.too_common", "This password is on every guesser's list. Choose another.");
        }

        return IsMadeOf(lowered, fullName, email)
            ? Refusal.Field(field, "password.too_personal", "This password is made of your own name or address. Choose another.")
            : null;
    }

    private static bool IsMadeOf(string password, string fullName, EmailAddress email)
    {
        var own = LettersAndDigits(password);
        var before = own.Length;
        foreach (var word in Words(fullName).Concat(Words(email.Value)).OrderByDescending(word => word.Length))
        {
            own = own.Replace(word, "", StringComparison.Ordinal);
        }

        return own.Length < before && own.Length < MinimumOwnCharacters;
    }

    private static IEnumerable<string> Words(string text) =>
        string.Concat(text.ToLowerInvariant().Select(character => char.IsLetterOrDigit(character) ? character : ' '))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word.Length >= 3);

    private static string LettersAndDigits(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var character in text.Where(char.IsLetterOrDigit))
        {
            kept.Append(character);
        }

        return kept.ToString();
    }
}
