using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Vtp.Domain.Webhooks;

/// <summary>
/// What an endpoint and VTP share (Standard Webhooks): <c>whsec_</c> and the base64 of 24 to 64 bytes. Who can verify with it
/// can also sign.
/// </summary>
public sealed class WebhookSecret
{
    public const string Prefix = "whsec_";

    private const int MinimumBytes = 24;
    private const int MaximumBytes = 64;
    private const int NewBytes = 32;

    private readonly byte[] _key;

    private WebhookSecret(byte[] key) => _key = key;

    /// <summary>As it is shown, once, and entered.</summary>
    public string Text => Prefix + Convert.ToBase64String(_key);

    public static WebhookSecret New() => new(RandomNumberGenerator.GetBytes(NewBytes));

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out WebhookSecret? secret)
    {
        secret = WebhookKeyText.TryRead(text, Prefix, MaximumBytes) is { Length: >= MinimumBytes } key ? new WebhookSecret(key) : null;
        return secret is not null;
    }

    /// <summary><c>v1,</c> and the base64 of the HMAC-SHA256 over what is signed.</summary>
    internal string Sign(ReadOnlySpan<byte> content) => $"v1,{Convert.ToBase64String(HMACSHA256.HashData(_key, content))}";

    /// <summary>
    /// <c>sha256=</c> and the HMAC over the body alone. Its key is the secret's whole text: the receivers that it is for hand
    /// what they were given to their HMAC as it is.
    /// </summary>
    internal string SignBody(ReadOnlySpan<byte> body) =>
        $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.ASCII.GetBytes(Text), body))}";

    /// <summary>Never the secret.</summary>
    public override string ToString() => $"{Prefix}...";
}

/// <summary>Padded base64 behind a prefix, in the one way of writing it.</summary>
internal static class WebhookKeyText
{
    public static byte[]? TryRead(string? text, string prefix, int maximumBytes)
    {
        if (text is null || !text.StartsWith(prefix, StringComparison.Ordinal))
        {
            return null;
        }

        var written = text.AsSpan(prefix.Length);
        if (written.Length > Base64.GetMaxEncodedToUtf8Length(maximumBytes))
        {
            return null;
        }

        var bytes = new byte[maximumBytes];
        return Convert.TryFromBase64Chars(written, bytes, out var length) && written.SequenceEqual(Convert.ToBase64String(bytes, 0, length))
            ? bytes[..length]
            : null;
    }
}
