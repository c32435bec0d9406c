using System.Globalization;
using System.Text;

namespace Vtp.Domain.Webhooks;

/// <summary>Standard Webhooks: what is signed is the id, the time of the attempt and the body, joined by dots.</summary>
public static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    /// <summary>An option for receivers that verify the body alone; it does not stop replays.</summary>
    public const string BodyHeader = "X-Webhook-Signature";

    /// <summary>The headers of one attempt.</summary>
    /// <param name="id">The event's, the same at every attempt: receivers know by it what they have had. Without a dot.</param>
    /// <param name="at">When this attempt is made: receivers refuse old ones.</param>
    /// <param name="body">The bytes that are sent.</param>
    /// <param name="secrets">All that are live, the newest first: while two overlap, both sign.</param>
    /// <param name="pairs">Likewise.</param>
    /// <param name="ed25519">Signs with the pairs.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> Headers(
        string id,
        DateTimeOffset at,
        ReadOnlySpan<byte> body,
        IReadOnlyList<WebhookSecret> secrets,
        IReadOnlyList<WebhookKeyPair> pairs,
        IEd25519 ed25519)
    {
        if (id.Length == 0 || id.Contains('.', StringComparison.Ordinal))
        {
            throw new ArgumentException("An id with a dot would let two messages be signed alike.", nameof(id));
        }

        if (secrets.Count + pairs.Count == 0)
        {
            throw new ArgumentException("Nothing to sign with.", nameof(secrets));
        }

        var timestamp = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] content = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var signatures = secrets.Select(secret => secret.Sign(content)).Concat(pairs.Select(pair => pair.Sign(content, ed25519)));
        return
        [
            new(IdHeader, id),
            new(TimestampHeader, timestamp),
            new(SignatureHeader, string.Join(' ', signatures)),
        ];
    }

    /// <summary>
    /// <see cref="BodyHeader"/> has room for one signature. It is the newest secret's, so that a secret that leaked is worth
    /// nothing as soon as it is replaced; receivers that accept two lose nothing while they overlap.
    /// </summary>
    public static KeyValuePair<string, string> BodyOnly(WebhookSecret newest, ReadOnlySpan<byte> body) => new(BodyHeader, newest.SignBody(body));
}
