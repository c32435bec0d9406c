namespace Vtp.Infrastructure.Tokens;

/// <summary>Section <c>Tokens</c>.</summary>
internal sealed class TokenOptions
{
    public string Issuer { get; set; } = "vtp-platform";

    public string Audience { get; set; } = "vtp";

    /// <summary>Life of an access token. A revoked session stops working in two seconds however long this is.</summary>
    public TimeSpan AccessLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>A session that is not refreshed for this long ends.</summary>
    public TimeSpan RefreshIdle { get; set; } = TimeSpan.FromHours(168);

    /// <summary>A session ends after this long in any case.</summary>
    public TimeSpan RefreshAbsolute { get; set; } = TimeSpan.FromDays(30);

    /// <summary>For how long a rotated refresh token still answers its successor.</summary>
    public TimeSpan RefreshReuseGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a new signing key is made.</summary>
    public TimeSpan KeyRotation { get; set; } = TimeSpan.FromDays(30);

    /// <summary>For how long a new key is published before it signs, so that whoever caches the key set has it.</summary>
    public TimeSpan KeyAnnouncement { get; set; } = TimeSpan.FromMinutes(1);
}
