using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Vtp.Domain.Identity.TwoFactor;

/// <summary>RFC 6238 with what authenticator apps agree on: HMAC-SHA-1, six digits, steps of 30 s.</summary>
public static class Totp
{
    public const int StepSeconds = 30;
    public const int SecretLength = 20;

    // One step each way for clocks that drift and people who type slowly (RFC 6238 section 5.2).
    private const int Window = 1;

    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(SecretLength);

    public static long StepAt(DateTimeOffset time) => time.ToUnixTimeSeconds() / StepSeconds;

    // HMAC-SHA-1 is what RFC 6238 and every authenticator app use; its collisions do not matter here.
#pragma warning disable CA5350
    public static string Code(byte[] secret, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(secret, counter, hash);
        var truncated = BinaryPrimitives.ReadInt32BigEndian(hash[(hash[^1] & 0x0F)..]) & int.MaxValue;
        return (truncated % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }
#pragma warning restore CA5350

    /// <summary>The step whose code this is, if it is one that may be entered now.</summary>
    public static long? FindStep(byte[] secret, string code, DateTimeOffset now)
    {
        var current = StepAt(now);
        long? found = null;
        for (var step = current - Window; step <= current + Window; step++)
        {
            // No early exit: how long this takes says nothing about which step matched.
            if (CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Code(secret, step)), Encoding.UTF8.GetBytes(code)))
            {
                found = step;
            }
        }

        return found;
    }

    /// <summary>The otpauth URI that authenticator apps read from a QR code.</summary>
    public static string Uri(byte[] secret, string issuer, string account)
    {
        var label = $"{System.Uri.EscapeDataString(issuer)}:{System.Uri.EscapeDataString(account)}";
        return $"otpauth://totp/{label}?secret={Base32.Encode(secret)}&issuer={System.Uri.EscapeDataString(issuer)}&algorithm=SHA1&digits=6&period={StepSeconds}";
    }
}
