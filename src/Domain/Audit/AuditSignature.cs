using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Vtp.Domain.Audit;

/// <summary>Statements about a chain are signed as JWS in compact form (RFC 7515) with ES256 (RFC 7518 section 3.4).</summary>
public static class AuditSignature
{
    public const string Algorithm = "ES256";
    public const string CheckpointType = "vtp-audit-checkpoint";
    public const string RetentionType = "vtp-audit-retention";

    /// <summary>An ES256 signature is R and S, 32 bytes each (RFC 7518 section 3.4).</summary>
    internal const int Bytes = 64;

    public static string Sign(ECDsa key, string kid, string type, ReadOnlySpan<byte> payload)
    {
        var input = SigningInput(kid, type, payload);
        return Join(input, key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    /// <summary>What is signed, in ASCII, by a key that is kept where this code cannot reach it.</summary>
    public static string SigningInput(string kid, string type, ReadOnlySpan<byte> payload)
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(new { alg = Algorithm, kid, typ = type });
        return $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(payload)}";
    }

    public static string Join(string signingInput, ReadOnlySpan<byte> signature) =>
        signature.Length == Bytes
            ? $"{signingInput}.{Base64Url.EncodeToString(signature)}"
            : throw new ArgumentException("An ES256 signature has 64 bytes.", nameof(signature));
}

/// <summary>The newest entry of a chain at a moment: with it, everything up to that entry is signed.</summary>
/// <param name="OrganizationId">Null for the chain of entries that belong to no organization.</param>
/// <param name="Hash">The entry's hash, in lower hex.</param>
/// <param name="At">When it was signed; kept in whole seconds.</param>
public sealed record AuditCheckpoint(Guid? OrganizationId, long Sequence, string Hash, DateTimeOffset At)
{
    public byte[] ToPayload() => JsonSerializer.SerializeToUtf8Bytes(new
    {
        organization_id = OrganizationId,
        sequence = Sequence,
        hash = Hash,
        at = At.ToUnixTimeSeconds(),
    });

    public string Sign(ECDsa key, string kid) => AuditSignature.Sign(key, kid, AuditSignature.CheckpointType, ToPayload());
}

/// <summary>Sequences from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct AuditRange(long First, long Last);

/// <summary>Entries that were dropped because they were old enough, not because somebody wanted them gone.</summary>
/// <param name="OrganizationId">Null for the chain of entries that belong to no organization.</param>
/// <param name="At">When it was signed; kept in whole seconds.</param>
public sealed record AuditRetention(Guid? OrganizationId, IReadOnlyList<AuditRange> Ranges, DateTimeOffset At)
{
    public byte[] ToPayload() => JsonSerializer.SerializeToUtf8Bytes(new
    {
        organization_id = OrganizationId,
        ranges = Ranges.Select(range => new[] { range.First, range.Last }),
        at = At.ToUnixTimeSeconds(),
    });

    public string Sign(ECDsa key, string kid) => AuditSignature.Sign(key, kid, AuditSignature.RetentionType, ToPayload());
}
