using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Vtp.Domain.Audit;

/// <summary>The public P-256 keys that statements may be signed with. One thread at a time.</summary>
public sealed class AuditKeys : IDisposable
{
    private const string P256 = "1.2.840.10045.3.1.7";
    private const string PublicKeyLabel = "PUBLIC KEY";

    private readonly List<(string? Kid, ECDsa Key)> _keys = [];

    private AuditKeys()
    {
    }

    /// <summary>
    /// Reads a JWK Set, a JWK (RFC 7517) or PEM public keys (RFC 7468). Keys without a <c>kid</c>, and so all of PEM, are tried
    /// for every statement. Throws <see cref="FormatException"/>, with a sentence, when there is no usable key.
    /// </summary>
    public static AuditKeys Parse(string text)
    {
        var keys = new AuditKeys();
        try
        {
            if (text.Contains("-----BEGIN", StringComparison.Ordinal))
            {
                keys.AddPem(text);
            }
            else
            {
                keys.AddJson(text);
            }

            return keys._keys.Count > 0 ? keys : throw new FormatException("It holds no public P-256 key for signatures.");
        }
        catch (Exception exception)
        {
            keys.Dispose();
            throw exception switch
            {
                JsonException => new FormatException("It is neither a JWK Set, nor a JWK, nor a PEM public key.", exception),
                CryptographicException or ArgumentException => new FormatException("It holds a key that is not a point on P-256.", exception),
                _ => exception,
            };
        }
    }

    public void Dispose() => _keys.ForEach(entry => entry.Key.Dispose());

    /// <summary>The payload of a statement whose signature is right; else why it is not believed.</summary>
    internal OpenedStatement Open(string jws, string type)
    {
        // Before anything is believed: three parts, and a header that asks for exactly what is agreed. The algorithm is
        // never the sender's choice, so neither "none" nor a public key used as the secret of an HMAC is ever tried.
        if (jws.Split('.') is not [var header, var payload, var signature] || Decode(header) is not { } headerBytes
            || Decode(payload) is not { } payloadBytes || Decode(signature) is not { Length: AuditSignature.Bytes } signatureBytes)
        {
            return OpenedStatement.Refused(AuditFindingKind.BadSignature, "is not a JWS with a signature of 64 bytes");
        }

        if (Object(headerBytes) is not { } head)
        {
            return OpenedStatement.Refused(AuditFindingKind.BadSignature, "has a header that is no JSON object");
        }

        if (head.Text("alg") != AuditSignature.Algorithm)
        {
            return OpenedStatement.Refused(AuditFindingKind.BadSignature, "is not signed with ES256");
        }

        if (head.Text("typ") != type || head.TryGetProperty("crit", out _))
        {
            return OpenedStatement.Refused(AuditFindingKind.BadSignature, $"is not of the type {type}");
        }

        var kid = head.Text("kid");
        var candidates = _keys.FindAll(entry => entry.Kid is null || entry.Kid == kid);
        if (candidates.Count == 0)
        {
            return OpenedStatement.Refused(AuditFindingKind.UnknownKey, "names a key that is not among the given ones");
        }

        var signed = Encoding.ASCII.GetBytes($"{header}.{payload}");
        if (!candidates.Exists(entry => entry.Key.VerifyData(
            signed, signatureBytes, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)))
        {
            return OpenedStatement.Refused(AuditFindingKind.BadSignature, "has a signature that is not right");
        }

        return Object(payloadBytes) is { } body
            ? new OpenedStatement(body, null, null)
            : OpenedStatement.Refused(AuditFindingKind.BadSignature, "has a payload that is no JSON object");
    }

    private static byte[]? Decode(string text)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        return text.Length > 0 && Base64Url.IsValid(text) && Base64Url.TryDecodeFromChars(text, bytes, out var length) ? bytes[..length] : null;
    }

    private static JsonElement? Object(byte[] json)
    {
        try
        {
            using var document = AuditJson.Parse(json);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void AddJson(string text)
    {
        using var document = AuditJson.Parse(Encoding.UTF8.GetBytes(text));
        var root = document.RootElement;
        var isSet = root.TryGetProperty("keys", out var set) && set.ValueKind == JsonValueKind.Array;
        foreach (var jwk in isSet ? [.. set.EnumerateArray()] : new[] { root })
        {
            // A set may hold keys of other kinds and for other uses; those are passed over (RFC 7517 section 5).
            if (jwk.ValueKind == JsonValueKind.Object && jwk.Text("kty") == "EC" && jwk.Text("crv") == "P-256"
                && jwk.Text("use") is null or "sig" && Decode(jwk.Text("x") ?? "") is { } x && Decode(jwk.Text("y") ?? "") is { } y)
            {
                _keys.Add((jwk.Text("kid"), ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } })));
            }
        }
    }

    private void AddPem(string text)
    {
        for (var rest = text.AsSpan(); PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
        {
            if (!rest[fields.Label].SequenceEqual(PublicKeyLabel))
            {
                throw new FormatException("It holds something else than public keys; a private key has no place here.");
            }

            var key = ECDsa.Create();
            _keys.Add((null, key));
            key.ImportFromPem(rest[fields.Location]);
            if (key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value != P256)
            {
                throw new CryptographicException("The curve is not P-256.");
            }
        }
    }
}

/// <summary>What came out of a JWS: a payload, or the reason why there is none, as the end of a sentence.</summary>
internal readonly record struct OpenedStatement(JsonElement? Payload, AuditFindingKind? Fault, string? Why)
{
    public static OpenedStatement Refused(AuditFindingKind fault, string why) => new(null, fault, why);
}
