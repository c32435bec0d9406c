using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Common;

/// <summary>Who is asking, as proved by their credential, and from where. Nothing here comes from a request body.</summary>
public interface ICaller
{
    SignedInAs? SignedIn { get; }

    string? IpAddress { get; }

    string? UserAgent { get; }

    string? TraceId { get; }

    /// <summary>The <c>Idempotency-Key</c> header.</summary>
    string? IdempotencyKey { get; }
}

/// <param name="AuthenticatedAt">When they last proved who they are, not when the token was issued.</param>
public sealed record SignedInAs(AccountId AccountId, SessionId SessionId, Role Role, DateTimeOffset AuthenticatedAt);

public static class CallerExtensions
{
    /// <summary>For handlers of use cases that demand <see cref="Permission.SignedIn"/> or more.</summary>
    public static SignedInAs Required(this ICaller caller) =>
        caller.SignedIn ?? throw new InvalidOperationException("This use case must demand a permission.");

    public static bool May(this ICaller caller, Permission permission) =>
        permission == Permission.Anyone || caller.SignedIn?.Role.Holds(permission) == true;
}
