using System.Net;
using System.Net.Sockets;

namespace Vtp.Application.Tenancy;

/// <summary>What texts look like, whether they come in a field or in an archive.</summary>
public static class TenancyFormats
{
    public static bool IsWebUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp)
        && url.UserInfo.Length == 0
        && !text.Any(char.IsControl);

    /// <summary>A CIDR, or one address. Not the shorthands that the framework also reads, such as 1 for 0.0.0.1.</summary>
    public static bool IsNetwork(string? text) => TryParseNetwork(text, out _);

    public static bool TryParseNetwork(string? text, out IPNetwork network)
    {
        if (IPNetwork.TryParse(text, out network))
        {
            return true;
        }

        var isPlain = text is not null
            && text.All(character => char.IsAsciiHexDigit(character) || character is '.' or ':')
            && (text.Contains(':', StringComparison.Ordinal) || text.Count(character => character == '.') == 3);
        if (!isPlain || !IPAddress.TryParse(text, out var address))
        {
            return false;
        }

        network = new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        return true;
    }
}
