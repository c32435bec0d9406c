using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Vtp.Domain.Identity.Sessions;

/// <summary>
/// <c>vtr_</c> and base64url of: session id (16 bytes), counter (4), HMAC-SHA-256 of both under the session's key (32).
/// The successor of a token is computed, not stored: parallel refreshes all get the same one, a forged token is refused
/// before any state is touched, and a stolen database holds no token.
/// </summary>
public sealed record RefreshToken
{
    private const string Prefix = "vtr_";
    private const int SignedLength = 20;
    private const int Length = SignedLength + HMACSHA256.HashSizeInBytes;

    private readonly byte[] _bytes;

    private RefreshToken(byte[] bytes) => _bytes = bytes;

    public SessionId SessionId => new(new Guid(_bytes.AsSpan(0, 16), bigEndian: true));

    public int Counter => BinaryPrimitives.ReadInt32BigEndian(_bytes.AsSpan(16));

    public static RefreshToken Issue(SessionId sessionId, int counter, byte[] key)
    {
        var bytes = new byte[Length];
        sessionId.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), counter);
        HMACSHA256.HashData(key, bytes.AsSpan(0, SignedLength), bytes.AsSpan(SignedLength));
        return new RefreshToken(bytes);
    }

    public static bool TryParse(string? text, [NotNullWhen(true)] out RefreshToken? token)
    {
        token = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length > 128)
        {
            return false;
        }

        var bytes = new byte[Length];
        var encoded = text.AsSpan(Prefix.Length);
        if (!Base64Url.IsValid(encoded, out var decodedLength) || decodedLength != Length || !Base64Url.TryDecodeFromChars(encoded, bytes, out _))
        {
            return false;
        }

        token = new RefreshToken(bytes);
        return true;
    }

    public bool IsGenuine(byte[] key)
    {
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, _bytes.AsSpan(0, SignedLength), expected);
        return CryptographicOperations.FixedTimeEquals(expected, _bytes.AsSpan(SignedLength));
    }

    /// <summary>The text that the client holds.</summary>
    public string Reveal() => Prefix + Base64Url.EncodeToString(_bytes);

    public override string ToString() => $"{Prefix}…";
}
