using System.Globalization;

namespace Vtp.Domain.Identity.Accounts;

/// <summary>A mail address in the one spelling that VTP stores and compares: trimmed, lower case, the domain in ASCII.</summary>
public readonly record struct EmailAddress
{
    /// <summary>RFC 5321 section 4.5.3.1.3, less the angle brackets.</summary>
    public const int MaximumLength = 254;

    private const int MaximumLocalLength = 64;

    private EmailAddress(string value) => Value = value;

    public string Value { get; }

    public static bool TryParse(string? text, out EmailAddress address)
    {
        address = default;
        var trimmed = text?.Trim();
        if (trimmed is null || trimmed.Length > MaximumLength)
        {
            return false;
        }

        var at = trimmed.LastIndexOf('@');
        if (at is < 1 or > MaximumLocalLength || !IsLocalPart(trimmed.AsSpan(0, at)) || !TryAsciiDomain(trimmed[(at + 1)..], out var domain))
        {
            return false;
        }

        address = new EmailAddress($"{trimmed[..at].ToLowerInvariant()}@{domain}");
        return true;
    }

    /// <summary>For text that has been validated before, or that our own database holds.</summary>
    public static EmailAddress Parse(string text) =>
        TryParse(text, out var address) ? address : throw new FormatException("Not a mail address.");

    public override string ToString() => Value;

    private static bool IsLocalPart(ReadOnlySpan<char> local)
    {
        foreach (var character in local)
        {
            // Quoted local parts are legal and useless; everything here can also break a header or a log line.
            if (character is '@' or '"' or '<' or '>' or '(' or ')' or ',' or ':' or ';' or '\\' or '[' or ']'
                || char.IsWhiteSpace(character) || char.IsControl(character) || char.IsSurrogate(character))
            {
                return false;
            }
        }

        return local[0] != '.' && local[^1] != '.';
    }

    private static bool TryAsciiDomain(string domain, out string ascii)
    {
        ascii = "";
        try
        {
            ascii = new IdnMapping { UseStd3AsciiRules = true }.GetAscii(domain).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return false;
        }

        return ascii.Length <= 253 && ascii.Contains('.', StringComparison.Ordinal) && !ascii.EndsWith('.');
    }
}
