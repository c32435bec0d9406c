using System.Text.Json;
using Vtp.Application.Tenancy;
using Vtp.Domain.Audit;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Archives;

/// <summary>What a value must be beyond its column's type.</summary>
/// <param name="Sentence">What is expected: goes on after the column's name.</param>
internal sealed record ArchiveRule(string Sentence, Func<JsonElement, bool> Holds);

/// <summary>
/// What the server relies on in its own tables. A value that no use case would have stored breaks whoever reads it, long
/// after the import; here it is refused with its line.
/// </summary>
internal static class ArchiveRules
{
    private const int HashBytes = 32;
    private const int MaximumText = 2048;

    public static readonly IReadOnlyDictionary<string, ArchiveRule> OfOrganizations = Rules(
        ("name", Name(100)),
        ("admin_email", Email()),
        ("plan", Word<Plan>()),
        ("audit_retention_days", new(
            "is not a number of days that a trail can be kept",
            value => value.GetInt32() is >= Organization.MinimumAuditRetentionDays and <= Organization.MaximumAuditRetentionDays)));

    public static readonly IReadOnlyDictionary<string, ArchiveRule> OfAccounts = Rules(
        ("email", Email()),
        ("full_name", Name(255)),
        ("phone", Text()),
        ("locale", Name(35)),
        ("role", new("is neither student nor teacher", value => value.GetString() is "student" or "teacher")));

    public static readonly IReadOnlyDictionary<string, ArchiveRule> OfMembers = Rules(("role", Word<MemberRole>()));

    public static readonly IReadOnlyDictionary<string, ArchiveRule> OfInvitations = Rules(
        ("email", Email()),
        ("name", Name(100)),
        ("role", new("is not a role that people are invited to", value => Words<MemberRole>().Contains(value.GetString()!) && value.GetString() != "owner")));

    public static readonly IReadOnlyDictionary<string, ArchiveRule> OfProjects = Rules(
        ("name", Name(100)),
        ("region", Word<Region>()),
        ("webhook_url", new("is not a web address", value => value.GetString() is { Length: <= MaximumText } url && TenancyFormats.IsWebUrl(url))),
        ("storage_config", new("is not a bucket", IsStorageConfig)));

    public static readonly IReadOnlyDictionary<string, ArchiveRule> OfApiKeys = Rules(
        ("kind", Word<ApiKeyKind>()),
        ("environment", Word<ApiKeyEnvironment>()),
        ("name", Name(100)),
        ("preview", Text()),
        ("tracker_role", Word<TrackerRole>()),
        ("key_hash", new("is not a SHA-256", value => value.GetString()!.Length == "\\x".Length + (2 * HashBytes))),
        ("scopes", new("has a scope that is unknown here", value => value.EnumerateArray().All(scope => KeyScopes.Catalogue.ContainsKey(scope.GetString()!)))),
        ("allowed_cidrs", new("has a network that is none", value => value.EnumerateArray().All(network => TenancyFormats.IsNetwork(network.GetString())))));

    public static readonly IReadOnlyDictionary<string, ArchiveRule> OfAuditEntries = Rules(
        ("outcome", Word<AuditOutcome>()),
        ("actor_type", Word<ActorType>()),
        ("action", Name(100)));

    private static Dictionary<string, ArchiveRule> Rules(params (string Column, ArchiveRule Rule)[] rules) =>
        rules.ToDictionary(rule => rule.Column, rule => rule.Rule, StringComparer.Ordinal);

    /// <summary>In the one spelling in which addresses are stored and compared.</summary>
    private static ArchiveRule Email() => new(
        "is not a mail address", value => EmailAddress.TryParse(value.GetString(), out var address) && address.Value == value.GetString());

    private static ArchiveRule Name(int maximum) => new(
        $"does not have 1 to {maximum} printable characters",
        value => value.GetString() is { } name && name.Length >= 1 && name.Length <= maximum && !name.Any(char.IsControl));

    private static ArchiveRule Text() => new($"has more than {MaximumText} characters", value => value.GetString()!.Length <= MaximumText);

    private static ArchiveRule Word<T>()
        where T : struct, Enum
    {
        var words = Words<T>();
        return new($"is none of {string.Join(", ", words.Order(StringComparer.Ordinal))}", value => words.Contains(value.GetString()!));
    }

    private static HashSet<string> Words<T>()
        where T : struct, Enum =>
        Enum.GetNames<T>().Select(VtpDbContext.SnakeCase).ToHashSet(StringComparer.Ordinal);

    private static bool IsStorageConfig(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.Object
                && value.Deserialize<StorageConfig>(JsonSerializerOptions.Default) is { Provider: not null, Bucket: not null };
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
