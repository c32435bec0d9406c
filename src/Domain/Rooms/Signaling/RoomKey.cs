using System.Globalization;
using System.Text;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Domain.Rooms.Signaling;

/// <summary>One live room: the same id in another organization is another room.</summary>
/// <param name="Organization"><see cref="OrganizationId.Installation"/> where there is none.</param>
/// <param name="Id">As clients chose it; see <see cref="IsId"/>.</param>
public readonly record struct RoomKey(OrganizationId Organization, string Id)
{
    public const int MaximumIdLength = 128;
    public const int MaximumNameLength = 255;

    /// <summary>1 to 128 characters that can be shown.</summary>
    public static bool IsId(string? text) => text is { Length: >= 1 and <= MaximumIdLength } && !string.IsNullOrWhiteSpace(text) && IsShown(text);

    /// <summary>Nothing in it steers a screen or a log, and it is whole Unicode.</summary>
    public static bool IsShown(string text)
    {
        for (var index = 0; index < text.Length;)
        {
            if (!Rune.TryGetRuneAt(text, index, out var rune)
                || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                return false;
            }

            index += rune.Utf16SequenceLength;
        }

        return true;
    }
}
