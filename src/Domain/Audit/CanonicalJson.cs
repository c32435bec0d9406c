using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Vtp.Domain.Audit;

/// <summary>
/// The JSON Canonicalization Scheme (RFC 8785): one JSON value has one form in UTF-8, whoever wrote it down and however.
/// What it cannot express is refused with a <see cref="FormatException"/>: a name that occurs twice in an object, half of
/// a surrogate pair, a number beyond IEEE 754 double precision's range.
/// </summary>
public static class CanonicalJson
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="value">Any JSON value; numbers count as IEEE 754 doubles (section 3.2.2.3).</param>
    /// <param name="except">Names that are left out of the outermost object.</param>
    public static byte[] Of(JsonElement value, params ReadOnlySpan<string> except)
    {
        var output = new StringBuilder();
        try
        {
            if (value.ValueKind == JsonValueKind.Object)
            {
                AppendObject(output, value, except);
            }
            else
            {
                Append(output, value);
            }
        }
        catch (InvalidOperationException exception)
        {
            throw new FormatException("A string is not valid Unicode.", exception);
        }

        return Utf8.GetBytes(output.ToString());
    }

    /// <summary>Number::toString of ECMAScript (ECMA-262 section 6.1.6.1.20), which RFC 8785 section 3.2.2.3 asks for.</summary>
    public static string Number(double value)
    {
        if (!double.IsFinite(value))
        {
            throw new FormatException("JSON has neither NaN nor infinity.");
        }

        if (value == 0)
        {
            return "0"; // Also for minus zero.
        }

        // "R" gives the shortest digits that read back as the same double, which are ECMAScript's; the layout is not.
        var parts = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture).Split('E');
        var exponent = parts.Length == 2 ? int.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var written = parts[0].Replace(".", "", StringComparison.Ordinal);
        var significant = written.TrimStart('0');

        // The value is 0.<digits> times ten to the power of n, as in the standard's own description.
        var n = (point < 0 ? parts[0].Length : point) + exponent - (written.Length - significant.Length);
        var digits = significant.TrimEnd('0');
        return (value < 0 ? "-" : "") + Layout(digits, n);
    }

    private static string Layout(string digits, int n)
    {
        if (n is > 0 and <= 21)
        {
            return digits.Length <= n ? digits.PadRight(n, '0') : $"{digits[..n]}.{digits[n..]}";
        }

        if (n is > -6 and <= 0)
        {
            return $"0.{new string('0', -n)}{digits}";
        }

        var mantissa = digits.Length == 1 ? digits : $"{digits[0]}.{digits[1..]}";
        return string.Create(CultureInfo.InvariantCulture, $"{mantissa}e{(n > 0 ? "+" : "-")}{Math.Abs(n - 1)}");
    }

    private static void Append(StringBuilder output, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                AppendObject(output, value, []);
                break;
            case JsonValueKind.Array:
                AppendArray(output, value);
                break;
            case JsonValueKind.String:
                AppendString(output, value.GetString()!);
                break;
            case JsonValueKind.Number:
                output.Append(value.TryGetDouble(out var number)
                    ? Number(number)
                    : throw new FormatException("A number is beyond the range of a double."));
                break;
            case JsonValueKind.True:
                output.Append("true");
                break;
            case JsonValueKind.False:
                output.Append("false");
                break;
            case JsonValueKind.Null:
                output.Append("null");
                break;
            default:
                throw new FormatException("There is no JSON value.");
        }
    }

    private static void AppendObject(StringBuilder output, JsonElement value, ReadOnlySpan<string> except)
    {
        // Ordinal comparison of .NET strings is the order by UTF-16 code units of section 3.2.3.
        var members = value.EnumerateObject().Select(member => (member.Name, member.Value)).ToArray();
        Array.Sort(members, static (one, other) => string.CompareOrdinal(one.Name, other.Name));
        output.Append('{');
        var isFirst = true;
        for (var index = 0; index < members.Length; index++)
        {
            var (name, member) = members[index];
            if (index > 0 && members[index - 1].Name == name)
            {
                throw new FormatException("A name occurs twice in one object.");
            }

            if (except.Contains(name))
            {
                continue;
            }

            if (!isFirst)
            {
                output.Append(',');
            }

            isFirst = false;
            AppendString(output, name);
            output.Append(':');
            Append(output, member);
        }

        output.Append('}');
    }

    private static void AppendArray(StringBuilder output, JsonElement value)
    {
        output.Append('[');
        var isFirst = true;
        foreach (var item in value.EnumerateArray())
        {
            if (!isFirst)
            {
                output.Append(',');
            }

            isFirst = false;
            Append(output, item);
        }

        output.Append(']');
    }

    /// <summary>Section 3.2.2.2: what need not be escaped is not, and every escape has one spelling.</summary>
    private static void AppendString(StringBuilder output, string text)
    {
        output.Append('"');
        foreach (var character in text)
        {
            _ = character switch
            {
                '"' => output.Append("\\\""),
                '\\' => output.Append("\\\\"),
                '\b' => output.Append("\\b"),
                '\f' => output.Append("\\f"),
                '\n' => output.Append("\\n"),
                '\r' => output.Append("\\r"),
                '\t' => output.Append("\\t"),
                < ' ' => output.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => output.Append(character),
            };
        }

        output.Append('"');
    }
}
