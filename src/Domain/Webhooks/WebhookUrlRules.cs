using System.Buffers;
using System.Globalization;
using System.Net;
using Vtp.Domain.Common;

namespace Vtp.Domain.Webhooks;

/// <summary>Where webhooks may go. A name is judged by the addresses that it has when it is connected to.</summary>
/// <param name="AllowHttp">Whether they may travel in the clear.</param>
/// <param name="AllowedNetworks">Networks that are not public, and that the operator lets webhooks into.</param>
public sealed record WebhookUrlRules(bool AllowHttp, IReadOnlyList<IPNetwork> AllowedNetworks)
{
    public const int MaximumLength = 2048;

    // Below it live mail, shells and name servers, which would read a request as their own protocol.
    private const int FirstFreePort = 1024;

    private static readonly SearchValues<char> HostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-._");

    public bool Allows(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return PublicAddresses.Contain(plain) || AllowedNetworks.Any(network => network.Contains(plain));
    }

    /// <summary>Reads what somebody entered.</summary>
    /// <param name="text">An address.</param>
    /// <param name="field">What they entered it into.</param>
    public Result<Uri> Read(string? text, string field = "url")
    {
        if (text is not { Length: > 0 and <= MaximumLength }
            || text.Any(character => char.IsWhiteSpace(character) || char.IsControl(character) || character == '\\')
            || !Uri.TryCreate(text, UriKind.Absolute, out var url)
            || url.AbsoluteUri.Length > MaximumLength)
        {
            return Refused(field, "webhook.url_malformed", $"An address like https://example.com/hooks, of at most {MaximumLength} characters.");
        }

        return Check(url, field);
    }

    /// <summary>Asked again before each attempt: the operator's settings may have changed.</summary>
    public Result<Uri> Check(Uri url, string field = "url")
    {
        if (url.Scheme != Uri.UriSchemeHttps && !(AllowHttp && url.Scheme == Uri.UriSchemeHttp))
        {
            return Refused(field, "webhook.url_scheme", AllowHttp ? "Only http and https." : "Only https.");
        }

        if (url.UserInfo.Length > 0 || url.Fragment.Length > 0)
        {
            return Refused(field, "webhook.url_malformed", "No user, no password and no fragment.");
        }

        if (!url.IsDefaultPort && url.Port < FirstFreePort)
        {
            return Refused(field, "webhook.url_port", $"The scheme's own port, or one from {FirstFreePort}.");
        }

        var host = url.IdnHost.TrimEnd('.');
        if (IPAddress.TryParse(host, out var address))
        {
            return Allows(address) ? url : Refused(field, "webhook.url_forbidden", "This address is not a public one.");
        }

        var last = host[(host.LastIndexOf('.') + 1)..];
        return host.Length > 0 && !host.AsSpan().ContainsAnyExcept(HostCharacters) && !IsNumber(last)
            ? url
            : Refused(field, "webhook.url_malformed", "This is not a name of a host.");
    }

    // Resolvers read 0x7f.1 and 2130706433 as 127.0.0.1: no top-level domain looks like that (WHATWG URL, "ends in a number").
    private static bool IsNumber(string label) =>
        !label.AsSpan().ContainsAnyExceptInRange('0', '9')
        || (label.StartsWith("0x", StringComparison.Ordinal)
            && (label.Length == 2 || UInt128.TryParse(label.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _)));

    private static Refusal Refused(string field, string code, string detail) => Refusal.Field(field, code, detail);
}
