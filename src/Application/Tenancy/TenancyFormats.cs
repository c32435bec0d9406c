using System.Net;

namespace Vtp.Application.Tenancy;

/// <summary>What texts look like, whether they come in a field or in an archive.</summary>
public static class TenancyFormats
{
    public static bool IsWebUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp)
        && url.UserInfo.Length == 0
        && !text.Any(char.IsControl);

    public static bool IsNetwork(string? text) => IPNetwork.TryParse(text, out _) || IPAddress.TryParse(text, out _);
}
