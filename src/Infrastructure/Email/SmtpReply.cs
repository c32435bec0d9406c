using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Vtp.Infrastructure.Email;

/// <param name="Lines">What follows the code, one entry for each line.</param>
internal sealed record SmtpReply(int Code, IReadOnlyList<string> Lines)
{
    /// <summary>False while the reply is unfinished: <c>250-</c> announces another line, <c>250</c> and a space do not.</summary>
    /// <exception cref="IOException">This is not one reply.</exception>
    public static bool TryParse(string received, [NotNullWhen(true)] out SmtpReply? reply)
    {
        reply = null;
        if (!received.EndsWith('\n'))
        {
            return false;
        }

        var lines = received.TrimEnd('\r', '\n').Split('\n', StringSplitOptions.TrimEntries);
        var last = lines[^1];
        if (last.Length > 3 && last[3] == '-')
        {
            return false;
        }

        // The conversation is lock-step. Words after the last line were put there by someone, and before STARTTLS
        // that could be anyone on the way (CVE-2011-0411).
        if (!int.TryParse(last.AsSpan(0, Math.Min(3, last.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            || code is < 200 or > 599
            || !lines[..^1].All(line => line.StartsWith($"{last[..3]}-", StringComparison.Ordinal)))
        {
            throw new IOException("The SMTP server said something that is not a reply.");
        }

        reply = new SmtpReply(code, [.. lines.Select(line => line.Length > 4 ? line[4..] : "")]);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Code} {string.Join(' ', Lines)}");
}
