using System.Net;
using Vtp.Application.Tenancy;
using Vtp.Domain.Webhooks;

namespace Vtp.Infrastructure.Webhooks;

/// <summary>Section <c>Webhooks</c>.</summary>
internal sealed class WebhookOptions
{
    public static readonly TimeSpan ShortestTimeout = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromSeconds(30);

    public bool AllowHttp { get; set; }

    /// <summary>CIDRs, comma separated.</summary>
    public string AllowedNetworks { get; set; } = "";

    /// <summary>Of a whole attempt.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Null when a network cannot be read.</summary>
    public WebhookUrlRules? ToRules()
    {
        var networks = new List<IPNetwork>();
        foreach (var text in AllowedNetworks.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!TenancyFormats.TryParseNetwork(text, out var network))
            {
                return null;
            }

            networks.Add(network);
        }

        return new WebhookUrlRules(AllowHttp, networks);
    }
}
