using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Domain.Tenancy.ApiKeys;

/// <summary>What the holder of a key is to the file tracker.</summary>
public enum TrackerRole
{
    Admin,
    Peer,
    Guest,
}

/// <summary>What a key may do, for how long and from where; a rotation hands all of it on.</summary>
/// <param name="Scopes">Words of <see cref="KeyScopes"/>.</param>
/// <param name="ExpiresAt">Null means never.</param>
/// <param name="AllowedCidrs">Networks that it may be used from; empty means any.</param>
public sealed record ApiKeyGrant(
    string Name, IReadOnlyList<string> Scopes, TrackerRole TrackerRole, DateTimeOffset? ExpiresAt, IReadOnlyList<string> AllowedCidrs);

/// <summary>A program's credential for one project. The key itself is shown once; its SHA-256 is here.</summary>
public sealed class ApiKey : Aggregate, IOfProject
{
    /// <summary>How long a rotated key may live on.</summary>
    public const int MaximumOverlapHours = 720;

    public const int DefaultOverlapHours = 24;

    private ApiKey(
        Guid id, OrganizationId organizationId, ProjectId projectId, ApiKeyKind kind, ApiKeyEnvironment environment, string name, DateTimeOffset createdAt) =>
        (Id, OrganizationId, ProjectId, Kind, Environment, Name, CreatedAt) = (id, organizationId, projectId, kind, environment, name, createdAt);

    public Guid Id { get; private set; }

    public OrganizationId OrganizationId { get; private set; }

    public ProjectId ProjectId { get; private set; }

    public ApiKeyKind Kind { get; private set; }

    public ApiKeyEnvironment Environment { get; private set; }

    public string Name { get; private set; }

    public byte[] KeyHash { get; private set; } = [];

    public string Preview { get; private set; } = "";

    public string[] Scopes { get; private set; } = [];

    public TrackerRole TrackerRole { get; private set; }

    public string[] AllowedCidrs { get; private set; } = [];

    public DateTimeOffset? ExpiresAt { get; private set; }

    /// <summary>One of the two that the project answers at its creation and at <c>regenerate-keys</c>.</summary>
    public bool IsOfPair { get; private set; }

    /// <summary>The key that took its place; it lives on until it expires.</summary>
    public Guid? ReplacedBy { get; private set; }

    public AccountId? CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset? RevokedAt { get; private set; }

    /// <summary>To about ten seconds: uses are counted in memory and written together.</summary>
    public DateTimeOffset? LastUsedAt { get; private set; }

    public static (ApiKey Key, ApiKeyText Text) Issue(
        Project project, ApiKeyKind kind, ApiKeyEnvironment environment, ApiKeyGrant grant, AccountId? createdBy, DateTimeOffset now)
    {
        var text = ApiKeyText.New(kind, environment);
        return (Of(project.OrganizationId, project.Id, kind, environment, grant, text.Value, text.Preview, createdBy, now), text);
    }

    /// <summary>The two keys that a project begins with: all scopes, no expiry.</summary>
    public static (ApiKey Key, ApiKeyText Text) IssuePair(Project project, ApiKeyKind kind, AccountId? createdBy, DateTimeOffset now)
    {
        var grant = new ApiKeyGrant(
            kind == ApiKeyKind.Secret ? "Project secret" : "Project key", [KeyScopes.All], TrackerRole.Peer, ExpiresAt: null, AllowedCidrs: []);
        var issued = Issue(project, kind, ApiKeyEnvironment.Live, grant, createdBy, now);
        issued.Key.IsOfPair = true;
        return issued;
    }

    /// <param name="project">Whose it becomes.</param>
    /// <param name="text">A value for which <see cref="LegacyKeyText.IsLegacy"/> is true.</param>
    /// <param name="grant">What it may do.</param>
    /// <param name="createdBy">Who brought it along.</param>
    /// <param name="now">The time.</param>
    public static ApiKey Import(Project project, string text, ApiKeyGrant grant, AccountId? createdBy, DateTimeOffset now)
    {
        var preview = $"{text[..(text.LastIndexOf('_') is > 0 and < 14 and var end ? end + 1 : 10)]}...{text[^4..]}";
        return Of(project.OrganizationId, project.Id, LegacyKeyText.KindOf(text), ApiKeyEnvironment.Live, grant, text, preview, createdBy, now);
    }

    public bool IsAliveAt(DateTimeOffset now) => RevokedAt is null && (ExpiresAt is null || ExpiresAt > now);

    /// <summary>
    /// Makes the key that takes this one's place. It inherits everything, the expiry included, so that a rotation never
    /// prolongs what was meant to end; this one ends with the overlap or at its own expiry, whichever is first.
    /// </summary>
    public Result<(ApiKey Key, ApiKeyText Text)> Rotate(TimeSpan overlap, AccountId? createdBy, DateTimeOffset now)
    {
        if (!IsAliveAt(now))
        {
            return ApiKeyRefusals.Ended;
        }

        if (ReplacedBy is not null)
        {
            return ApiKeyRefusals.Rotated;
        }

        var text = ApiKeyText.New(Kind, Environment);
        var grant = new ApiKeyGrant(Name, Scopes, TrackerRole, ExpiresAt, AllowedCidrs);
        var successor = Of(OrganizationId, ProjectId, Kind, Environment, grant, text.Value, text.Preview, createdBy, now);
        successor.IsOfPair = IsOfPair;
        ReplacedBy = successor.Id;
        var lastMoment = ExpiresAt is { } end && end < now + overlap ? end : now + overlap;
        ExpiresAt = lastMoment;
        Raise(new ApiKeyEvents.Rotated(Id, Name, Preview, successor.Id, lastMoment));
        return (successor, text);
    }

    public override EventSource Source() => new(OrganizationId, ProjectId, Id.ToString());

    public void Revoke(DateTimeOffset now)
    {
        if (RevokedAt is null)
        {
            RevokedAt = now;
            Raise(new ApiKeyEvents.Revoked(Id, Name, Preview));
        }
    }

    private static ApiKey Of(
        OrganizationId organizationId,
        ProjectId projectId,
        ApiKeyKind kind,
        ApiKeyEnvironment environment,
        ApiKeyGrant grant,
        string text,
        string preview,
        AccountId? createdBy,
        DateTimeOffset now)
    {
        var key = new ApiKey(Uuid.NewVersion7(now), organizationId, projectId, kind, environment, grant.Name.Trim(), now)
        {
            KeyHash = ApiKeyText.Hash(text),
            Preview = preview,
            Scopes = [.. grant.Scopes],
            TrackerRole = grant.TrackerRole,
            AllowedCidrs = [.. grant.AllowedCidrs],
            ExpiresAt = grant.ExpiresAt,
            CreatedBy = createdBy,
        };
        key.Raise(new ApiKeyEvents.Created(key.Id, key.Name, preview, kind, environment, grant.ExpiresAt));
        return key;
    }
}

public static class ApiKeyRefusals
{
    public static readonly Refusal NotFound =
        new(RefusalKind.NotFound, "api_key.not_found", "There is no such key.");

    public static readonly Refusal Rejected =
        new(RefusalKind.Unauthenticated, "api_key.rejected", "This API key is unknown, revoked or expired.");

    public static readonly Refusal Malformed =
        new(RefusalKind.Unauthenticated, "api_key.malformed", "This is not an API key: its form or its checksum is wrong.");

    public static readonly Refusal SecretRejected =
        new(RefusalKind.Unauthenticated, "api_key.secret_rejected", "The secret does not belong to this key's project.");

    public static readonly Refusal AddressNotAllowed =
        new(RefusalKind.Forbidden, "api_key.address_not_allowed", "This API key may not be used from your address.");

    public static readonly Refusal ScopeMissing =
        new(RefusalKind.Forbidden, "api_key.scope_missing", "This API key does not have the scope that this needs.");

    public static readonly Refusal SecretNeeded =
        new(RefusalKind.Forbidden, "api_key.secret_needed", "This needs a secret key: as X-API-Key, or as X-Pulse-Secret beside a publishable one.");

    public static readonly Refusal PersonNeeded =
        new(RefusalKind.Forbidden, "auth.person_needed", "Only a person can do this, not an API key.");

    public static readonly Refusal BeyondOwn =
        new(RefusalKind.Forbidden, "api_key.beyond_own", "A key cannot make one that may do more, or lives longer, than itself.");

    public static readonly Refusal Ended =
        new(RefusalKind.Conflict, "api_key.ended", "This key was revoked or has expired.");

    public static readonly Refusal Rotated =
        new(RefusalKind.Conflict, "api_key.rotated", "This key has a successor already.");

    public static readonly Refusal Taken =
        new(RefusalKind.Conflict, "api_key.taken", "This key is in use already.");

    public static readonly Refusal TooMany =
        new(RefusalKind.Conflict, "api_key.too_many", "The project has as many living keys as it may.");
}
