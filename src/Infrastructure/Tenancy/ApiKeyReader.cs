using System.Net;
using System.Security.Cryptography;
using System.Text;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Infrastructure.Tenancy;

/// <summary>Checks the API key of a request.</summary>
public interface IApiKeyReader
{
    /// <param name="key">What stood in X-API-Key, X-Pulse-Key or behind Bearer.</param>
    /// <param name="secret">What stood in X-Pulse-Secret: a secret key of the same project.</param>
    /// <param name="address">The caller's, for keys that are bound to networks.</param>
    /// <param name="cancellationToken">Of the request.</param>
    ValueTask<Result<ProjectKey>> ReadAsync(string key, string? secret, IPAddress? address, CancellationToken cancellationToken);
}

/// <summary>In the steady state: one SHA-256 and one look-up. What has a wrong checksum is refused without either.</summary>
internal sealed class ApiKeyReader(KnownKeys keys, KeyUses uses, TimeProvider clock) : IApiKeyReader
{
    public async ValueTask<Result<ProjectKey>> ReadAsync(string key, string? secret, IPAddress? address, CancellationToken cancellationToken)
    {
        if (!(await FindAsync(key, address, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        if (secret is null)
        {
            return found.Caller;
        }

        // Both must be good; the secret's powers count, because it is the stronger proof.
        return (await FindAsync(secret, address, cancellationToken)).TryGet(out var other, out _)
            && other.Kind == ApiKeyKind.Secret
            && other.Caller.ProjectId == found.Caller.ProjectId
                ? other.Caller
                : ApiKeyRefusals.SecretRejected;
    }

    private async ValueTask<Result<KnownKey>> FindAsync(string text, IPAddress? address, CancellationToken cancellationToken)
    {
        if (!ApiKeyText.IsWellFormed(text) && !LegacyKeyText.IsLegacy(text))
        {
            return ApiKeyRefusals.Malformed;
        }

        var (key, now) = (await keys.FindAsync(Hash(text), cancellationToken), clock.GetUtcNow());
        if (key?.IsAliveAt(now) != true)
        {
            return ApiKeyRefusals.Rejected;
        }

        if (!key.Admits(address))
        {
            return ApiKeyRefusals.AddressNotAllowed;
        }

        uses.Note(key.Caller.KeyId, now);
        return key;
    }

    private static KeyHash Hash(string text)
    {
        Span<byte> bytes = stackalloc byte[LegacyKeyText.MaximumLength];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.ASCII.GetBytes(text, bytes)], hash);
        return KeyHash.Of(hash);
    }
}
