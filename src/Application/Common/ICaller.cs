using Vtp.Application.Tracker;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Common;

/// <summary>Who is asking, as proved by their credential, and from where. Nothing here comes from a request body.</summary>
public interface ICaller
{
    SignedInAs? SignedIn { get; }

    /// <summary>The project whose key was sent; never together with <see cref="SignedIn"/>.</summary>
    ProjectKey? Key { get; }

    /// <summary>A key or token for the tracker alone; never together with the others.</summary>
    TrackerCredential? Tracker { get; }

    /// <summary>Why the credential that was sent is not believed.</summary>
    Refusal? Rejected { get; }

    /// <summary>Reached the port that is for those who run the installation, where no credential is asked for.</summary>
    bool IsOperator { get; }

    /// <summary>Nobody sent this: the server does it by itself.</summary>
    bool IsSystem { get; }

    string? IpAddress { get; }

    string? UserAgent { get; }

    string? TraceId { get; }

    /// <summary>The <c>Idempotency-Key</c> header.</summary>
    string? IdempotencyKey { get; }
}

/// <param name="KeyId">Of the secret key, when one came beside a publishable one.</param>
/// <param name="HasSecret">Whether a secret key was shown.</param>
/// <param name="AuditRetentionDays">Of its organization.</param>
public sealed record ProjectKey(
    Guid KeyId,
    string Name,
    OrganizationId OrganizationId,
    ProjectId ProjectId,
    ApiKeyEnvironment Environment,
    TrackerRole TrackerRole,
    IReadOnlyCollection<string> Scopes,
    DateTimeOffset? ExpiresAt,
    IReadOnlyList<string> AllowedCidrs,
    bool HasSecret,
    int AuditRetentionDays);

/// <param name="AuthenticatedAt">When they last proved who they are, not when the token was issued.</param>
public sealed record SignedInAs(AccountId AccountId, SessionId SessionId, Role Role, DateTimeOffset AuthenticatedAt);

public static class CallerExtensions
{
    /// <summary>For handlers of use cases that demand <see cref="Permission.SignedIn"/> or more.</summary>
    public static SignedInAs Required(this ICaller caller) =>
        caller.SignedIn ?? throw new InvalidOperationException("This use case must demand a permission.");

    /// <summary>Whom what is done now is put down to.</summary>
    public static (ActorType Type, Guid? Id) Actor(this ICaller caller) =>
        caller.Key is { } key ? (ActorType.Key, key.KeyId)
        : caller.Tracker is { } tracker ? (ActorType.Key, tracker.Key ?? tracker.Id)
        : caller.SignedIn is { } person ? (ActorType.User, person.AccountId.Value)
        : (caller.IsSystem ? ActorType.System : ActorType.Anonymous, null);
}
