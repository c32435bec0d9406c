using System.Security.Cryptography;
using System.Text;

namespace Vtp.Domain.Identity.TwoFactor;

/// <summary>A sheet of codes for the day the phone is lost. Shown once; only hashes are kept.</summary>
/// <param name="Codes">Eight codes of 70 random bits, base32 in groups: <c>ABCDE-FGHIJ-KLMN</c>.</param>
public sealed record BackupCodes(IReadOnlyList<string> Codes)
{
    public const int Count = 8;

    public static BackupCodes New() => new([.. Enumerable.Range(0, Count).Select(_ => NewCode())]);

    public string[] Hashes() => [.. Codes.Select(Hash)];

    /// <summary>Case, spaces and dashes are how people copy from paper; they carry nothing.</summary>
    public static string Hash(string code)
    {
        var canonical = string.Concat(code.Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(canonical)));
    }

    private static string NewCode()
    {
        // 9 bytes are 15 characters, of which 14 carry 70 bits.
        var text = Base32.Encode(RandomNumberGenerator.GetBytes(9));
        return $"{text[..5]}-{text[5..10]}-{text[10..14]}";
    }
}
