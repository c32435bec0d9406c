using System.Buffers;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Vtp.Domain.Tenancy.ApiKeys;

public enum ApiKeyKind
{
    /// <summary><c>sk</c>: may do all that its scopes allow. Belongs on a server.</summary>
    Secret,

    /// <summary><c>pk</c>: names its project; what is marked <i>secret</i> needs the secret key beside it.</summary>
    Publishable,
}

public enum ApiKeyEnvironment
{
    Live,
    Test,
}

/// <summary>
/// The text of a key: <c>vtp_{sk|pk}_{live|test}_</c>, 160 random bits in 27 base62 digits, and the CRC-32 (IEEE 802.3,
/// as zlib computes it) of all that stands before it in six. A mistyped key is refused without looking anywhere, and a
/// secret scanner that finds one knows that it is no accident.
/// </summary>
public sealed record ApiKeyText(string Value, ApiKeyKind Kind, ApiKeyEnvironment Environment)
{
    /// <summary>For secret scanners; docs/api-keys.md publishes it.</summary>
    public const string Pattern = "vtp_(sk|pk)_(live|test)_[0-9A-Za-z]{33}";

    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static readonly SearchValues<char> Alphabet = SearchValues.Create(Digits);

    private const int RandomBytes = 20;
    private const int RandomDigits = 27;
    private const int ChecksumDigits = 6;
    private const int PrefixLength = 12;
    private const int Length = PrefixLength + RandomDigits + ChecksumDigits;

    /// <summary>What lists show of it: everything before the random part, and the last four.</summary>
    public string Preview => $"{Value[..PrefixLength]}...{LastFour}";

    public string LastFour => Value[^4..];

    public static ApiKeyText New(ApiKeyKind kind, ApiKeyEnvironment environment)
    {
        var prefix = $"vtp_{(kind == ApiKeyKind.Secret ? "sk" : "pk")}_{(environment == ApiKeyEnvironment.Live ? "live" : "test")}_";
        var random = Base62(new BigInteger(RandomNumberGenerator.GetBytes(RandomBytes), isUnsigned: true), RandomDigits);
        Span<char> checksum = stackalloc char[ChecksumDigits];
        WriteChecksum(prefix + random, checksum);
        return new ApiKeyText($"{prefix}{random}{checksum}", kind, environment);
    }

    /// <summary>Whether a text has the form and the checksum of a key; no more is known of it by that.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> text)
    {
        if (text.Length != Length
            || text[..PrefixLength] is not ("vtp_sk_live_" or "vtp_sk_test_" or "vtp_pk_live_" or "vtp_pk_test_")
            || text[PrefixLength..].ContainsAnyExcept(Alphabet))
        {
            return false;
        }

        Span<char> checksum = stackalloc char[ChecksumDigits];
        WriteChecksum(text[..^ChecksumDigits], checksum);
        return text[^ChecksumDigits..].SequenceEqual(checksum);
    }

    /// <summary>SHA-256: 160 random bits need no slow hash.</summary>
    public static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    /// <summary>Never the key: records print their fields.</summary>
    public override string ToString() => Preview;

    private static void WriteChecksum(ReadOnlySpan<char> text, Span<char> digits)
    {
        var rest = Crc32(text);
        for (var position = digits.Length - 1; position >= 0; position--)
        {
            digits[position] = Digits[(int)(rest % Digits.Length)];
            rest /= (uint)Digits.Length;
        }
    }

    private static string Base62(BigInteger number, int length) => string.Create(length, number, static (digits, rest) =>
    {
        for (var position = digits.Length - 1; position >= 0; position--)
        {
            rest = BigInteger.DivRem(rest, Digits.Length, out var digit);
            digits[position] = Digits[(int)digit];
        }
    });

    private static uint Crc32(ReadOnlySpan<char> ascii)
    {
        const uint ReversedPolynomial = 0xEDB88320;
        var crc = uint.MaxValue;
        foreach (var character in ascii)
        {
            crc ^= character;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ (ReversedPolynomial & (0u - (crc & 1)));
            }
        }

        return ~crc;
    }
}

/// <summary>Keys of the control plane that VTP replaces; they carry no checksum and can be brought along.</summary>
public static class LegacyKeyText
{
    public const int MaximumLength = 128;

    private static readonly string[] Prefixes = ["pulse_key_", "pulse_secret_"];

    public static bool IsLegacy(ReadOnlySpan<char> text)
    {
        if (text.Length is <= 24 or > MaximumLength)
        {
            return false;
        }

        foreach (var prefix in Prefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                return text[prefix.Length..].IndexOfAnyExcept(Allowed) < 0;
            }
        }

        return false;
    }

    public static ApiKeyKind KindOf(string text) => text.StartsWith("pulse_secret_", StringComparison.Ordinal) ? ApiKeyKind.Secret : ApiKeyKind.Publishable;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-");
}
