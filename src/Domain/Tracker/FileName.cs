using System.Text;

namespace Vtp.Domain.Tracker;

/// <summary>
/// Peers join it to a folder of theirs without looking at it, so that whatever could lead out of that folder, or hide what
/// the file is, is no name.
/// </summary>
public static class FileName
{
    /// <summary>Bytes in UTF-8: what file systems hold.</summary>
    public const int MaximumBytes = 255;

    /// <returns>Null when it is a name; else the sentence that says why not.</returns>
    public static string? Fault(string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            return "Give the file a name.";
        }

        if (Encoding.UTF8.GetByteCount(name) > MaximumBytes)
        {
            return $"The name is longer than {MaximumBytes} bytes.";
        }

        if (name is "." or ".." || name.AsSpan().IndexOfAny('/', '\\') >= 0)
        {
            return "The name must not contain path separators, nor be '.' or '..'.";
        }

        return name.EnumerateRunes().Any(IsHidden) ? "The name must not contain control or direction characters." : null;
    }

    // U+FFFD stands for what was no text. Format characters turn the reading direction: "exe.gpj" is shown as "jpg.exe".
    private static bool IsHidden(Rune rune) =>
        Rune.IsControl(rune) || rune.Value is 0xFFFD or 0x061C or 0x200E or 0x200F or (>= 0x2028 and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0xFEFF;
}
