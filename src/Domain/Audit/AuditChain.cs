using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace Vtp.Domain.Audit;

/// <summary>
/// How the entries of one organization hang together: each holds its place, and the hash of the entry before it, within
/// what its own hash is computed from. docs/audit-proof.md describes it for those who verify it.
/// </summary>
public static class AuditChain
{
    /// <summary>What the first entry of a chain, at sequence 1, names as the hash before it.</summary>
    public const string Genesis = "0000000000000000000000000000000000000000000000000000000000000000";

    /// <summary>Integers up to here are the same in every JSON reader (RFC 8259 section 6).</summary>
    public const long LastSequence = (1L << 53) - 1;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    /// <summary>
    /// SHA-256, in lower hex, of the entry's canonical form (RFC 8785) without its own <c>hash</c> and the line's <c>type</c>.
    /// Throws <see cref="FormatException"/> when the entry has no canonical form.
    /// </summary>
    public static string HashOf(JsonElement entry) =>
        Convert.ToHexStringLower(SHA256.HashData(CanonicalJson.Of(entry, "hash", "type")));

    /// <summary>An entry's time as it is hashed: RFC 3339, UTC, always six digits of microseconds.</summary>
    public static string Timestamp(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>64 digits of lower hex, as numbers; null for anything else.</summary>
    internal static (UInt128 High, UInt128 Low)? Parse(string? hash) =>
        hash is { Length: 64 } && !hash.AsSpan().ContainsAnyExcept(LowerHex)
            ? (UInt128.Parse(hash.AsSpan(0, 32), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                UInt128.Parse(hash.AsSpan(32), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))
            : null;
}
