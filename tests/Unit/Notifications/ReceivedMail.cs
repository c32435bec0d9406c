using System.Text;
using System.Text.RegularExpressions;

namespace Vtp.Unit.Notifications;

/// <summary>Reads a message as its recipient's mail program would: unfolds, splits and decodes.</summary>
internal sealed partial class ReceivedMail
{
    private readonly Dictionary<string, string> headers;

    private ReceivedMail(Dictionary<string, string> headers, string[] parts) =>
        (this.headers, Text, Html) = (headers, Decoded(parts[0]), Decoded(parts[1]));

    public string this[string header] => headers[header];

    public IReadOnlyCollection<string> Headers => headers.Keys;

    public string Text { get; }

    public string Html { get; }

    public static ReceivedMail Parse(string source)
    {
        var (head, body) = Split(source);
        var fields = Fields(head);
        var boundary = BoundaryParameter().Match(fields["Content-Type"]).Groups["boundary"].Value;
        var parts = body.Split($"--{boundary}--")[0].Split($"--{boundary}\r\n", StringSplitOptions.RemoveEmptyEntries);
        parts.Should().HaveCount(2, "the message says the same thing twice, as text and as HTML");
        return new ReceivedMail(fields, parts);
    }

    private static string Decoded(string part)
    {
        var (head, body) = Split(part);
        return Fields(head)["Content-Transfer-Encoding"] == "base64" ? Base64(body) : body[..^2];
    }

    private static (string Head, string Body) Split(string source) =>
        source.Split("\r\n\r\n", 2) is [var head, var body]
            ? (head, body)
            : throw new FormatException("No empty line ends the headers.");

    private static Dictionary<string, string> Fields(string head) =>
        Fold().Replace(head, " ").Split("\r\n")
            .Select(line => line.Split(": ", 2))
            .ToDictionary(field => field[0], field => Words(field[1]), StringComparer.Ordinal);

    private static string Words(string value) =>
        EncodedWord().Replace(BetweenWords().Replace(value, "?="), word => Base64(word.Groups["base64"].Value));

    private static string Base64(string text) => Encoding.UTF8.GetString(Convert.FromBase64String(text));

    [GeneratedRegex(@"\r\n[ \t]+", RegexOptions.None, 1000)]
    private static partial Regex Fold();

    [GeneratedRegex(@"\?=\s+(?==\?)", RegexOptions.None, 1000)]
    private static partial Regex BetweenWords();

    [GeneratedRegex(@"=\?utf-8\?B\?(?<base64>[A-Za-z0-9+/=]*)\?=", RegexOptions.None, 1000)]
    private static partial Regex EncodedWord();

    [GeneratedRegex("boundary=\"(?<boundary>[^\"]+)\"", RegexOptions.None, 1000)]
    private static partial Regex BoundaryParameter();
}
