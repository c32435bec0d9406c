using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Vtp.Application.Identity;

namespace Vtp.Infrastructure.Tokens;

/// <summary>One ES256 key pair (RFC 7518 section 3.4).</summary>
internal sealed class SigningKey : IDisposable
{
    private readonly ECDsa _key;

    // One native key object is not documented to serve two threads at once.
    private readonly Lock _lock = new();

    private SigningKey(string kid, ECDsa key, DateTimeOffset signsFrom)
    {
        (Kid, _key, SignsFrom) = (kid, key, signsFrom);
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        Header = Base64Url.EncodeToString(Encoding.ASCII.GetBytes($$"""{"alg":"{{AccessTokens.Algorithm}}","kid":"{{kid}}","typ":"at+jwt"}"""));
        Public = new JsonWebKey(kid, Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
    }

    public string Kid { get; }

    public DateTimeOffset SignsFrom { get; }

    public JsonWebKey Public { get; }

    /// <summary>The first segment of every token that this key signs; the type is RFC 9068's.</summary>
    public string Header { get; }

    public static SigningKey New(DateTimeOffset signsFrom)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        // RFC 7638 thumbprints name a key by what it is; nobody has to keep the name and the key together.
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var canonical = $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
        var kid = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(canonical)));
        return new SigningKey(kid, key, signsFrom);
    }

    public static SigningKey Import(string kid, byte[] privateKey, DateTimeOffset signsFrom)
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(privateKey, out _);
        return new SigningKey(kid, key, signsFrom);
    }

    public byte[] Export() => _key.ExportPkcs8PrivateKey();

    /// <summary>A secret of 32 bytes that only who has the private key can have (HKDF-SHA-256, RFC 5869).</summary>
    /// <param name="purpose">What it is for; another purpose gives another secret.</param>
    public byte[] Derive(string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _key.ExportParameters(includePrivateParameters: true).D!, SHA256.HashSizeInBytes, info: Encoding.ASCII.GetBytes(purpose));

    public void Sign(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        lock (_lock)
        {
            if (!_key.TrySignData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation, out _))
            {
                throw new CryptographicException("An ES256 signature has 64 bytes.");
            }
        }
    }

    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        lock (_lock)
        {
            return _key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    public void Dispose() => _key.Dispose();
}
