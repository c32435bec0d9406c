using Vtp.Application.Tenancy.Archives;

namespace Vtp.Infrastructure.Archives;

/// <summary>A table of which archives hold rows. Its columns come from the catalogue, so that a new one is carried by itself.</summary>
/// <param name="Name">Of the table, and of its file before <c>.jsonl</c>.</param>
/// <param name="Owner">The column that names the organization; null where none does.</param>
/// <param name="Since">The migration that made it: archives from before have no such file.</param>
internal sealed record ArchiveTable(string Name, string? Owner, string Since)
{
    public string File => $"{Name}.jsonl";

    /// <summary>The column that names the project, in tables that are part of a project's archive too.</summary>
    public string? Project { get; init; }

    /// <summary>The only columns that leave; null means all.</summary>
    public IReadOnlyList<string>? Only { get; init; }

    /// <summary>Columns that stay behind.</summary>
    public IReadOnlyList<string> Without { get; init; } = [];

    /// <summary>SQL of which of its rows leave; null means all. <c>t</c> is the table.</summary>
    public string? Where { get; init; }

    /// <summary>SQL of what is written in place of a column; <c>t</c> is the table.</summary>
    public IReadOnlyDictionary<string, string> Instead { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Columns with an account's id, which follow a person to the account that they have on the new server.</summary>
    public IReadOnlyList<string> People { get; init; } = [];

    /// <summary>Columns that must name a row of another file.</summary>
    public IReadOnlyList<(string Column, string Table)> References { get; init; } = [];

    public IReadOnlyDictionary<string, ArchiveRule> Rules { get; init; } = new Dictionary<string, ArchiveRule>(StringComparer.Ordinal);
}

/// <summary>
/// Every table whose rows belong to an organization, in the order in which they can be inserted. A test fails while a
/// table with an <c>organization_id</c> stands in neither list.
/// </summary>
/// <remarks>
/// Columns that are sealed with this server's keys (none of these tables has one) cannot be read by another server: put
/// them into <see cref="ArchiveTable.Without"/>, or open them here and seal them again in <see cref="VerifiedArchive"/>.
/// </remarks>
internal static class ArchiveTables
{
    public const string Organizations = "organizations";
    public const string Accounts = "accounts";
    public const string Members = "members";
    public const string Projects = "projects";
    public const string ApiKeys = "api_keys";
    public const string AuditEntries = "audit_entries";
    public const string OrganizationId = "organization_id";
    public const string ProjectId = "project_id";

    private const string Tenancy = "0002_tenancy";

    /// <summary>Tables of organizations that archives do not hold, each with the reason.</summary>
    public static readonly IReadOnlyDictionary<string, string> LeftOut = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["audit_chains"] = "Made anew of the entries when they are imported.",
        ["audit_counts"] = "Made anew of the entries when they are imported.",
        ["webhook_endpoints"] = "Two servers must not send to one address; their secrets are sealed with this server's keys.",
        ["webhook_secrets"] = "Sealed with this server's keys.",
        ["webhook_health"] = "Of endpoints, which stay.",
        ["webhook_deliveries"] = "Of endpoints, which stay.",
        ["webhook_attempts"] = "Of endpoints, which stay.",
        ["events"] = "The log of this server, by whose positions its readers go; what happened is in the trail.",
        ["audit_checkpoints"] = "Signed with the old server's key, which the new one does not know; it signs its own.",
        ["audit_retentions"] = "Signed with the old server's key; the new one signs which entries are not there.",
        ["jobs"] = "Work of this server, which goes on with it; a restored copy would do it a second time.",
        ["archive_exports"] = "Archives themselves, which an archive does not hold.",
        ["archive_export_chunks"] = "Of exports, which stay.",
        ["dead_jobs"] = "Work that this server gave up.",
        ["tracker_peers"] = "Computers that are connected to this server, and register with the new one themselves.",
        ["tracker_files"] = "Announced by the peers that have them, also to the new server.",
        ["tracker_members"] = "Which peer has which file, as it announces.",
        ["relay_links"] = "Connections to this server.",
        ["signaling_rooms"] = "Live rooms of this server, which end with the lesson.",
        ["signaling_places"] = "Connections to this server.",
        ["signaling_removals"] = "Of live rooms, which stay.",
        ["room_recordings"] = "Their files lie with the media server, which an archive does not reach.",
        ["dashboard_alerts"] = "Of this server, from those who run it.",
    };

    private static readonly IReadOnlyList<ArchiveTable> All =
    [
        new(Organizations, "id", Tenancy) { Rules = ArchiveRules.OfOrganizations },
        new(Accounts, Owner: null, Tenancy)
        {
            // What proves who somebody is stays where they proved it; nobody becomes an administrator of another server.
            Only = ["id", "email", "full_name", "phone", "locale", "role"],
            Instead = new Dictionary<string, string>(StringComparer.Ordinal) { ["role"] = "CASE t.role WHEN 'admin' THEN 'teacher' ELSE t.role END" },
            Rules = ArchiveRules.OfAccounts,
        },
        new(Members, OrganizationId, Tenancy) { People = ["account_id"], References = [("account_id", Accounts)], Rules = ArchiveRules.OfMembers },

        // The token in a mail of the old server leads to the old server; sending an invitation again makes another.
        new("invitations", OrganizationId, Tenancy) { Without = ["token_hash"], People = ["invited_by"], Rules = ArchiveRules.OfInvitations },
        new(Projects, OrganizationId, Tenancy) { Project = "id", People = ["created_by"], Rules = ArchiveRules.OfProjects },

        // changed_at is for the nodes of one server, by its database's clock.
        new(ApiKeys, OrganizationId, Tenancy)
        {
            Project = ProjectId, Without = ["changed_at"], People = ["created_by"], References = [(ProjectId, Projects)], Rules = ArchiveRules.OfApiKeys,
        },

        // People in it stay as they were: its entries are chained by their hashes. What has no
        // place in the chain yet would have none ever: the mark that it needs can be judged on this server only.
        new(AuditEntries, OrganizationId, Tenancy) { Without = ["mark"], Where = "t.sequence IS NOT NULL", Rules = ArchiveRules.OfAuditEntries },
    ];

    public static IReadOnlyList<ArchiveTable> Of(ArchiveKind kind) =>
        kind == ArchiveKind.Organization ? All : [.. All.Where(table => table.Project is not null)];

    /// <summary>The table of the organization or project itself, which holds one row.</summary>
    public static string RootOf(ArchiveKind kind) => kind == ArchiveKind.Organization ? Organizations : Projects;
}
