using Vtp.Domain.Events;

namespace Vtp.Domain.Tenancy.ApiKeys;

/// <summary>Of the keys themselves only the preview is told.</summary>
public static class ApiKeyEvents
{
    [Event("api_key.created", "A program has a new key.")]
    public sealed record Created(Guid Id, string Name, string Preview, ApiKeyKind Kind, ApiKeyEnvironment Environment, DateTimeOffset? ExpiresAt);

    [Event("api_key.rotated", "A key has a successor, and ends at the time that is said.")]
    public sealed record Rotated(Guid Id, string Name, string Preview, Guid ReplacedBy, DateTimeOffset ExpiresAt);

    [Event("api_key.revoked", "A key was revoked, and is refused from now on.")]
    public sealed record Revoked(Guid Id, string Name, string Preview);
}
