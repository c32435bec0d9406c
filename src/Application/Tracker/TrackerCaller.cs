using System.Net;
using System.Security.Cryptography;
using System.Text;
using Vtp.Application.Common;
using Vtp.Application.Tenancy;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker;

/// <summary>What somebody is to the swarms of one project.</summary>
/// <param name="Credential">Null for who has shown none, a guest of the public project.</param>
/// <param name="Key">Of a token: the key that it was issued for.</param>
/// <param name="PeerId">Of a token: the one peer that it may speak for.</param>
public sealed record TrackerCaller(
    OrganizationId Organization, ProjectId Project, TrackerRole Role, Guid? Credential, Guid? Key, string? PeerId, int AuditRetentionDays)
{
    /// <summary>Whether they may speak for a peer of that name, should nobody else have registered it.</summary>
    public bool MayName(string peerId) => Role == TrackerRole.Admin || PeerId is null || string.Equals(PeerId, peerId, StringComparison.Ordinal);

    /// <summary>Whether they may speak for a peer of that name.</summary>
    /// <param name="owner">The credential that registered it.</param>
    /// <param name="peerId">Its name.</param>
    public bool SpeaksFor(Guid? owner, string peerId) =>
        Role == TrackerRole.Admin
        || (Role == TrackerRole.Peer
            && MayName(peerId)
            && (owner == Credential || (Key is not null && owner == Key)));
}

/// <summary>A key or token that opens the tracker, and nothing else.</summary>
/// <param name="Id">Of a token another one for each peer.</param>
/// <param name="Key">Of a token: the key that it was issued for.</param>
public sealed record TrackerCredential(
    Guid Id, Guid? Key, string? PeerId, OrganizationId Organization, ProjectId Project, TrackerRole Role, int AuditRetentionDays)
{
    /// <summary>That of a token for one peer: another one, made of this key's and the peer's name.</summary>
    public TrackerCredential ForPeer(string peerId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([.. Id.ToByteArray(), .. Encoding.UTF8.GetBytes(peerId)], hash);
        return new TrackerCredential(new Guid(hash[..16]), Key: Id, peerId, Organization, Project, Role, AuditRetentionDays);
    }

    public TrackerCaller Caller { get; } = new(Organization, Project, Role, Id, Key, PeerId, AuditRetentionDays);
}

/// <summary>Who the caller of this request is to the tracker.</summary>
public interface ITrackerCaller
{
    /// <summary>Once a use case has let them in.</summary>
    TrackerCaller Current { get; }

    /// <param name="project">Which of their projects people mean; keys and tokens have one.</param>
    /// <param name="cancellationToken">Of the request.</param>
    ValueTask<Result<TrackerCaller>> FindAsync(Guid? project, CancellationToken cancellationToken);
}

/// <summary>A use case of the tracker that people may run too, about a project that they name.</summary>
public interface IAboutTracker
{
    /// <summary>Keys and tokens have one and need not name it.</summary>
    Guid? ProjectId { get; }
}

/// <summary>The installation's own keys for a quick start, and the tokens of peers.</summary>
public interface ITrackerKeys
{
    /// <summary>The project whose swarms who shows nothing may read; null for none.</summary>
    TrackerCaller? Keyless { get; }

    /// <returns>Null for what is none of the configured keys.</returns>
    TrackerCredential? FindConfigured(string key);

    /// <summary>A configured key, or a project's.</summary>
    /// <param name="address">The caller's, for keys that are bound to networks.</param>
    ValueTask<Result<TrackerCredential>> ReadKeyAsync(string key, IPAddress? address, CancellationToken cancellationToken);

    /// <summary>What its key may do now: one that is revoked takes its tokens with it.</summary>
    ValueTask<Result<TrackerCredential>> ReadTokenAsync(string token, IPAddress? address, CancellationToken cancellationToken);

    /// <summary>For one peer, good for 24 hours.</summary>
    /// <param name="key">A configured key, or a project's.</param>
    PeerToken IssueToken(string key, string peerId);
}

/// <param name="Text">A bearer token.</param>
public sealed record PeerToken(string Text, DateTimeOffset ExpiresAt);

internal sealed class TrackerCallers(ICaller caller, TenantScope tenant, IMemberships memberships, ITrackerKeys keys) : ITrackerCaller
{
    public TrackerCaller Current => tenant.Tracker ?? throw new InvalidOperationException("This use case must demand a permission of the tracker.");

    /// <summary>Lets the caller in, or says why not.</summary>
    public async ValueTask<Refusal?> EnterAsync(Permission permission, object request, CancellationToken cancellationToken) =>
        Enter(permission, await FindAsync((request as IAboutTracker)?.ProjectId, cancellationToken));

    public ValueTask<Result<TrackerCaller>> FindAsync(Guid? project, CancellationToken cancellationToken)
    {
        if (caller.Tracker is { } own)
        {
            return new(own.Caller);
        }

        if (caller.Key is { } key)
        {
            return new(new TrackerCaller(key.OrganizationId, key.ProjectId, key.TrackerRole, key.KeyId, Key: null, PeerId: null, key.AuditRetentionDays));
        }

        if (caller.Rejected is { } rejected)
        {
            return new(rejected);
        }

        return caller.SignedIn is { } person ? new(FindPersonAsync(person, project, cancellationToken))
            : keys.Keyless is { } open ? new(open)
            : new(TrackerRefusals.Unauthenticated);
    }

    private Refusal? Enter(Permission permission, Result<TrackerCaller> found)
    {
        if (!found.TryGet(out var entered, out var refusal))
        {
            return refusal;
        }

        tenant.Enter(entered.Organization, entered.Project, entered.AuditRetentionDays);
        tenant.Tracker = entered;
        return entered.Role.Holds(permission) ? null
            : entered.Credential is null ? TrackerRefusals.Unauthenticated
            : Refusal.Forbidden;
    }

    /// <summary>Who may change the project administers its swarms, every other member reads them. An operator has the public project.</summary>
    private async Task<Result<TrackerCaller>> FindPersonAsync(SignedInAs person, Guid? named, CancellationToken cancellationToken)
    {
        if (named is null)
        {
            return keys.Keyless is { } open ? open with { Role = person.Role == Role.Admin ? TrackerRole.Admin : TrackerRole.Guest, Credential = person.AccountId.Value }
                : TrackerRefusals.ProjectMissing;
        }

        var project = new ProjectId(named.Value);
        if (await memberships.FindAsync(person.AccountId, project, cancellationToken) is not { IsDeleted: false } membership)
        {
            return ProjectRefusals.NotFound;
        }

        var role = membership.Role.Holds(Permission.ManageProjects) ? TrackerRole.Admin : TrackerRole.Guest;
        return new TrackerCaller(membership.OrganizationId, project, role, person.AccountId.Value, Key: null, PeerId: null, membership.AuditRetentionDays);
    }
}
