using System.Globalization;
using System.Net.Mail;
using System.Text;
using static System.StringComparison;

namespace Vtp.Infrastructure.Email;

/// <summary>
/// A whole message (RFC 5322): headers, then the same words as plain text and as HTML. The one of System.Net.Mail can be
/// written by SmtpClient alone.
/// </summary>
/// <param name="Source">Lines end in CRLF and are at most 998 characters; all is ASCII but an address that cannot be.</param>
internal sealed record MimeMessage(string Sender, string Recipient, string Source)
{
    private const int LongestLine = 998;
    private const int LongestPlainHeader = 60;

    // An encoded word may have 75 characters and its line 76 (RFC 2047); nine runes are 60 characters at most.
    private const int RunesPerEncodedWord = 9;

    /// <summary>Only the part before the @ can need it (RFC 6531): a domain has an ASCII form.</summary>
    public bool NeedsSmtpUtf8 => !Ascii.IsValid(Recipient);

    /// <exception cref="EmailRejected">The recipient is not one bare address.</exception>
    public static MimeMessage Compose(RenderedEmail email, MailAddress from, DateTimeOffset now)
    {
        var sender = Address(from);
        var recipient = PlainAddress(email.To);

        // What a person typed can reach the body, but nobody outside knows the id, so no text can close its own part.
        var boundary = $"vtp-{email.Id:N}";

        var source = string.Create(CultureInfo.InvariantCulture, $"""
            Date: {now.UtcDateTime:ddd, dd MMM yyyy HH:mm:ss} +0000
            From: {Mailbox(from.DisplayName, sender)}
            To: {recipient}
            Subject: {Unstructured(email.Subject)}
            Message-ID: <{email.Id:N}@{sender[(sender.LastIndexOf('@') + 1)..]}>
            Auto-Submitted: auto-generated
            MIME-Version: 1.0
            Content-Type: multipart/alternative;
             boundary="{boundary}"

            --{boundary}
            {Part("text/plain", email.Text)}
            --{boundary}
            {Part("text/html", email.Html)}
            --{boundary}--

            """);

        return new MimeMessage(sender, recipient, source.ReplaceLineEndings("\r\n"));
    }

    // MailAddress reads far more than an address ("a@x.org, b@y.org" is b, called "a@x.org,"), so it has to give back what
    // it was given. Quoted local parts, legal and all but extinct, go too: they can hold spaces, brackets and line breaks.
    private static string PlainAddress(string to)
    {
        if (!MailAddress.TryCreate(to, out var address) || address.Address != to
            || to.Any(character => character == '"' || char.IsControl(character) || char.IsWhiteSpace(character)))
        {
            throw new EmailRejected("The recipient is not one plain mail address.");
        }

        try
        {
            return Address(address);
        }
        catch (ArgumentException exception)
        {
            throw new EmailRejected("The recipient's domain is not a name that the DNS can hold.", exception);
        }
    }

    // Lower case first: without ICU, as VTP runs, IdnMapping does not fold it and would name another domain.
    private static string Address(MailAddress address) =>
        Ascii.IsValid(address.Host)
            ? address.Address
            : $"{address.User}@{new IdnMapping().GetAscii(address.Host.ToLowerInvariant())}";

    private static string Mailbox(string name, string address) => name switch
    {
        "" => address,
        _ when IsPlainHeader(name) => $"\"{name.Replace(@"\", @"\\", Ordinal).Replace("\"", "\\\"", Ordinal)}\" <{address}>",
        _ => $"{EncodedWords(name)}\n <{address}>",
    };

    // Line breaks and other controls become spaces, so that no value can start a header of its own.
    private static string Unstructured(string text)
    {
        var line = string.Concat(text.Select(character => char.IsControl(character) ? ' ' : character));
        return IsPlainHeader(line) ? line : EncodedWords(line);
    }

    private static bool IsPlainHeader(string text) =>
        text.Length <= LongestPlainHeader && IsPrintableAscii(text) && !text.Contains("=?", Ordinal);

    private static string EncodedWords(string text) =>
        string.Join(
            "\n ",
            text.EnumerateRunes().Chunk(RunesPerEncodedWord).Select(runes => $"=?utf-8?B?{Base64(string.Concat(runes))}?="));

    // Two encodings do: plain text stays readable and its links can be copied out of a file; all else is base64, which
    // unlike quoted-printable has no special characters, and which every relay carries untouched.
    private static string Part(string type, string body)
    {
        var text = body.ReplaceLineEndings("\r\n");
        var isPlain = text.Split("\r\n").All(line => line.Length <= LongestLine && IsPrintableAscii(line));
        return $"""
            Content-Type: {type}; charset=utf-8
            Content-Transfer-Encoding: {(isPlain ? "7bit" : "base64")}

            {(isPlain ? text : Base64(text, Base64FormattingOptions.InsertLineBreaks))}
            """;
    }

    private static bool IsPrintableAscii(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange(' ', '~');

    private static string Base64(string text, Base64FormattingOptions options = Base64FormattingOptions.None) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(text), options);
}
