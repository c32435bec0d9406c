using System.Globalization;
using System.Security.Cryptography;

namespace Vtp.Infrastructure.Passwords;

/// <summary>A PHC string: <c>$pbkdf2-sha512$i=220000$salt$hash</c>, both in base64 without padding.</summary>
internal sealed record Pbkdf2Hash(int Iterations, string Salt, byte[] Digest)
{
    private const string Scheme = "pbkdf2-sha512";
    private const int SaltLength = 16;
    private const int DigestLength = 64;

    public static string NewSalt() => ToBase64(RandomNumberGenerator.GetBytes(SaltLength));

    public static Pbkdf2Hash? Parse(string? text)
    {
        if (text?.Split('$') is not ["", Scheme, var parameters, var salt, var digest]
            || !parameters.StartsWith("i=", StringComparison.Ordinal)
            || !int.TryParse(parameters.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var iterations))
        {
            return null;
        }

        return new Pbkdf2Hash(iterations, salt, FromBase64(digest));
    }

    public static Pbkdf2Hash Compute(string password, int iterations, string salt) => new(
        iterations,
        salt,
        Rfc2898DeriveBytes.Pbkdf2(password, FromBase64(salt), iterations, HashAlgorithmName.SHA512, DigestLength));

    public bool Matches(Pbkdf2Hash other) => CryptographicOperations.FixedTimeEquals(Digest, other.Digest);

    public override string ToString() => $"${Scheme}$i={Iterations.ToString(CultureInfo.InvariantCulture)}${Salt}${ToBase64(Digest)}";

    private static string ToBase64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static byte[] FromBase64(string text) => Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
}
