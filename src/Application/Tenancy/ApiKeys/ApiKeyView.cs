using Vtp.Application.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Tenancy.ApiKeys;

/// <summary>A key, without the key.</summary>
/// <param name="Preview">Its beginning and its last four characters.</param>
/// <param name="Role">What its holder is to the file tracker.</param>
/// <param name="Scopes">What it may do, as <c>resource:verb</c>.</param>
/// <param name="AllowedCidrs">Networks that it may be used from; empty means any.</param>
/// <param name="ExpiresAt">Null means never.</param>
/// <param name="LastUsedAt">To about ten seconds.</param>
/// <param name="ReplacedBy">The key that took its place; this one ends at <c>expires_at</c>.</param>
/// <param name="CreatorRemoved">Whoever made it is no member any more. It works on; somebody should look after it.</param>
public sealed record ApiKeyView(
    Guid Id,
    Guid ProjectId,
    string Name,
    ApiKeyKind Kind,
    ApiKeyEnvironment Environment,
    string Preview,
    IReadOnlyList<string> Scopes,
    TrackerRole Role,
    IReadOnlyList<string> AllowedCidrs,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt,
    DateTimeOffset? LastUsedAt,
    Guid? ReplacedBy,
    Guid? CreatedBy,
    bool CreatorRemoved,
    DateTimeOffset CreatedAt);

/// <param name="Key">The key itself; shown this once.</param>
public sealed record ApiKeyIssued(string Key, ApiKeyView ApiKey, string Message)
{
    internal static ApiKeyIssued Of(ApiKeyText text, ApiKeyView view) => new(text.Value, view, "Keep the key: it is not shown again.");
}

internal static class ApiKeyQueries
{
    public static IQueryable<ApiKeyView> AsViews(this IQueryable<ApiKey> keys, IVtpDb db) => keys.Select(key => new ApiKeyView(
        key.Id,
        key.ProjectId.Value,
        key.Name,
        key.Kind,
        key.Environment,
        key.Preview,
        key.Scopes,
        key.TrackerRole,
        key.AllowedCidrs,
        key.ExpiresAt,
        key.RevokedAt,
        key.LastUsedAt,
        key.ReplacedBy,
        key.CreatedBy == null ? null : key.CreatedBy.Value.Value,
        key.CreatedBy != null && !db.Members.Any(member => member.OrganizationId == key.OrganizationId && member.AccountId == key.CreatedBy),
        key.CreatedAt));
}
