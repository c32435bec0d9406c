using System.Runtime.InteropServices;
using Microsoft.Extensions.Primitives;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Api.Http;

/// <summary>What stands in the headers of a request.</summary>
/// <param name="Token">A bearer token that is no API key; empty when there is none.</param>
/// <param name="Key">An API key, from whichever header.</param>
/// <param name="AreTwo">Nobody knows which one is meant: neither counts.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SentCredential(ReadOnlyMemory<char> Token, string? Key, bool AreTwo)
{
    private const string Scheme = "Bearer ";
    private const string ApiKeyHeader = "X-API-Key";
    private const string PulseKeyHeader = "X-Pulse-Key";
    private const string ApiKeyPrefix = "vtp_";
    private const string PeerTokenPrefix = "vtpt_";

    /// <summary>It is one of the file tracker's, which a peer got for its key.</summary>
    public bool IsOfPeer => Token.Span.StartsWith(PeerTokenPrefix, StringComparison.Ordinal);

    public static SentCredential Of(IHeaderDictionary headers)
    {
        StringValues key = headers[ApiKeyHeader] is { Count: > 0 } current ? current : headers[PulseKeyHeader];
        if (key.Count > 0)
        {
            return key.Count > 1 || headers.Authorization.Count > 0 ? new(default, null, AreTwo: true) : new(default, key[0], AreTwo: false);
        }

        if (headers.Authorization is not [{ } value] || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return default;
        }

        var bearer = value.AsMemory(Scheme.Length);
        return bearer.Span.StartsWith(ApiKeyPrefix, StringComparison.Ordinal) || LegacyKeyText.IsLegacy(bearer.Span)
            ? new(default, bearer.ToString(), AreTwo: false)
            : new(bearer, null, AreTwo: false);
    }
}
