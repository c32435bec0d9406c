using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Vtp.Domain.Webhooks;

/// <summary>Ed25519 (RFC 8032), which the base class library has not.</summary>
public interface IEd25519
{
    /// <summary>Whether this machine has it.</summary>
    bool IsSupported { get; }

    byte[] PublicKey(ReadOnlySpan<byte> seed);

    byte[] Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> content);
}

/// <summary>
/// For receivers that shall verify without being able to sign (Standard Webhooks): <c>whsk_</c> and the base64 of seed and public
/// key, <c>whpk_</c> and that of the public key alone.
/// </summary>
public sealed class WebhookKeyPair
{
    public const string SecretPrefix = "whsk_";
    public const string PublicPrefix = "whpk_";

    private const int SeedBytes = 32;
    private const int PublicBytes = 32;

    private readonly byte[] _seed;
    private readonly byte[] _public;

    private WebhookKeyPair(byte[] seed, byte[] publicKey) => (_seed, _public) = (seed, publicKey);

    /// <summary>Stays in VTP.</summary>
    public string SecretText => SecretPrefix + Convert.ToBase64String([.. _seed, .. _public]);

    /// <summary>What receivers get.</summary>
    public string PublicText => PublicPrefix + Convert.ToBase64String(_public);

    public static WebhookKeyPair New(IEd25519 ed25519)
    {
        var seed = RandomNumberGenerator.GetBytes(SeedBytes);
        return new WebhookKeyPair(seed, ed25519.PublicKey(seed));
    }

    /// <summary>Refuses halves that do not belong together: signing with a foreign public key gives the seed away.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, IEd25519 ed25519, [NotNullWhen(true)] out WebhookKeyPair? pair)
    {
        pair = WebhookKeyText.TryRead(text, SecretPrefix, SeedBytes + PublicBytes) is { Length: SeedBytes + PublicBytes } both
            && ed25519.PublicKey(both.AsSpan(0, SeedBytes)).AsSpan().SequenceEqual(both.AsSpan(SeedBytes))
            ? new WebhookKeyPair(both[..SeedBytes], both[SeedBytes..])
            : null;
        return pair is not null;
    }

    /// <summary><c>v1a,</c> and the base64 of the signature over what is signed.</summary>
    internal string Sign(ReadOnlySpan<byte> content, IEd25519 ed25519) => $"v1a,{Convert.ToBase64String(ed25519.Sign(_seed, content))}";

    /// <summary>Never the secret half.</summary>
    public override string ToString() => PublicText;
}
