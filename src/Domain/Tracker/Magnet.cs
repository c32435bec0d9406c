using System.Globalization;
using System.Text;
using Vtp.Domain.Common;

namespace Vtp.Domain.Tracker;

/// <summary>A magnet link with a SHA-256: <c>magnet:?xt=urn:sha256:...&amp;dn=name&amp;xl=bytes&amp;tr=tracker</c>, values percent-encoded (RFC 3986).</summary>
/// <param name="Name">dn.</param>
/// <param name="Size">xl, in bytes.</param>
/// <param name="Trackers">tr, each a URL.</param>
/// <param name="ChunkSize">x.cs, in bytes.</param>
/// <param name="ChunkCount">x.tc.</param>
public sealed record Magnet(ContentHash Hash, string? Name, long? Size, IReadOnlyList<string> Trackers, int? ChunkSize = null, int? ChunkCount = null)
{
    /// <summary>Characters; longer ones are refused unread.</summary>
    public const int MaximumLength = 8192;

    private const string Scheme = "magnet:?";

    // What peers write, and what the library of theirs reads beside it.
    private static readonly string[] Topics = ["urn:sha256:", "urn:sha-256:", "urn:btih:"];

    public static Result<Magnet> Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return Malformed("The magnet link is missing.");
        }

        if (text.Length > MaximumLength || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return Malformed("A magnet link begins with 'magnet:?' and has at most 8192 characters.");
        }

        ContentHash? hash = null;
        string? name = null;
        long? size = null;
        int? chunkSize = null, chunkCount = null;
        var trackers = new List<string>();
        foreach (var part in text[Scheme.Length..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var (key, value) = equals < 0 ? (part, "") : (part[..equals], Decode(part[(equals + 1)..]));
            switch (key)
            {
                case "xt":
                    hash ??= Topic(value);
                    break;
                case "dn":
                    name = value;
                    break;
                case "xl":
                    size = Number(value);
                    break;
                case "tr":
                    trackers.Add(value);
                    break;
                case "x.cs":
                    chunkSize = (int?)Math.Min(Number(value) ?? 0, int.MaxValue);
                    break;
                case "x.tc":
                    chunkCount = (int?)Math.Min(Number(value) ?? 0, int.MaxValue);
                    break;
            }
        }

        return hash is { } found
            ? new Magnet(found, name, size, trackers, chunkSize, chunkCount)
            : Malformed("The magnet link names no SHA-256: xt=urn:sha256: and 64 hexadecimal digits.");
    }

    public override string ToString()
    {
        var link = new StringBuilder(Scheme).Append("xt=").Append(Topics[0]).Append(Hash);
        Add("dn", Name);
        Add("xl", Size);
        foreach (var tracker in Trackers)
        {
            Add("tr", tracker);
        }

        Add("x.cs", ChunkSize);
        Add("x.tc", ChunkCount);
        return link.ToString();

        void Add(string key, object? value)
        {
            if (value is not null)
            {
                link.Append('&').Append(key).Append('=').Append(Uri.EscapeDataString(Convert.ToString(value, CultureInfo.InvariantCulture)!));
            }
        }
    }

    private static Refusal Malformed(string why) => Refusal.Field("uri", "magnet.malformed", why);

    private static ContentHash? Topic(string value) =>
        Topics.FirstOrDefault(topic => value.StartsWith(topic, StringComparison.OrdinalIgnoreCase)) is { } topic
        && ContentHash.TryParse(value.AsSpan(topic.Length), out var hash) ? hash : null;

    private static long? Number(string value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    // A form's encoding writes a space as '+', and the peers' library does.
    private static string Decode(string value) => Uri.UnescapeDataString(value.Replace('+', ' '));
}
