using System.Text.RegularExpressions;

namespace Vtp.Infrastructure.Performance;

/// <summary>Statements as they may be kept and shown: on one line, without values, cut.</summary>
internal static partial class StatementText
{
    private const int MaximumLength = 500;

    // Beyond what is shown, so that a literal that begins before the cut is seen whole, or to its end here.
    private const int Examined = 4 * MaximumLength;

    public static string Normalise(string text)
    {
        var statement = text.AsSpan();
        while (statement.StartsWith("SELECT set_config(", StringComparison.Ordinal) && statement.IndexOfAny(';', '\n') is var end and > 0)
        {
            statement = statement[(end + 1)..].TrimStart(); // What the server puts before its statements says whose rows they see.
        }

        var examined = statement[..Math.Min(statement.Length, Examined)].ToString();
        var plain = Spaces().Replace(Numbers().Replace(Literals().Replace(examined, "?"), "?"), " ").Trim();
        return plain.Length <= MaximumLength ? plain : plain[..MaximumLength];
    }

    // Quoted in any of PostgreSQL's ways; one that is cut off ends at the end. Comments may say anything.
    [GeneratedRegex(
        @"[eE]'(?:[^'\\]|\\.|'')*(?:'|\z)|'(?:[^']|'')*(?:'|\z)|\$(?<tag>[A-Za-z_]\w*|)\$.*?(?:\$\k<tag>\$|\z)|--[^\n]*|/\*.*?(?:\*/|\z)",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Literals();

    // Neither $1 and @p0 nor the digits of a name.
    [GeneratedRegex(@"(?<![\w$@])\d+(\.\d+)?\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"\s+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Spaces();
}
