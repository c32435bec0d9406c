using Vtp.Domain.Common;

namespace Vtp.Domain.Identity.Administration;

/// <summary>
/// Creates the first administrator of a new installation, printed where only its operator reads it. In place of a
/// default account: 30 minutes, once, and only while there is no administrator.
/// </summary>
public sealed class SetupLink
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    private SetupLink(byte[] tokenHash, DateTimeOffset expiresAt) => (TokenHash, ExpiresAt) = (tokenHash, expiresAt);

    public byte[] TokenHash { get; private set; }

    public DateTimeOffset ExpiresAt { get; private set; }

    public static SetupLink For(string token, DateTimeOffset now) => new(OneTimeSecret.Hash(token), now + Lifetime);
}

public static class SetupRefusals
{
    public static readonly Refusal LinkRejected =
        new(RefusalKind.Unauthenticated, "setup.link_rejected", "This link has expired or was used. Restart the server for a new one.");

    public static readonly Refusal AlreadySetUp =
        new(RefusalKind.Conflict, "setup.already_set_up", "This installation has an administrator already.");
}
