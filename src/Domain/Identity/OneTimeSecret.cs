using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Vtp.Domain.Identity;

/// <summary>
/// 32 random bytes, base64url, that are mailed or shown once. Only their SHA-256 is stored: a secret of 256 bits needs
/// no slow hash.
/// </summary>
public static class OneTimeSecret
{
    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
