namespace Vtp.Domain.Tenancy.ApiKeys;

/// <summary>What a key may be allowed, as <c>resource:verb</c>: the one list.</summary>
public static class KeyScopes
{
    /// <summary>Everything that a key can be allowed.</summary>
    public const string All = "*";

    public const string ProjectRead = "project:read";
    public const string ProjectWrite = "project:write";
    public const string KeysRead = "keys:read";
    public const string KeysWrite = "keys:write";
    public const string AuditRead = "audit:read";
    public const string EventsRead = "events:read";
    public const string WebhooksRead = "webhooks:read";
    public const string WebhooksWrite = "webhooks:write";
    public const string RoomsRead = "rooms:read";
    public const string RoomsWrite = "rooms:write";

    public static readonly IReadOnlyDictionary<string, string> Catalogue = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [All] = "All of the below, and what is added to it later.",
        [ProjectRead] = "Read the key's own project.",
        [ProjectWrite] = "Change the settings of the key's own project.",
        [KeysRead] = "List the project's keys, without the keys themselves.",
        [KeysWrite] = "Rotate and revoke keys of the project, its own powers at most. Needs a secret key.",
        [AuditRead] = "Read the trail of the key's own project.",
        [EventsRead] = "Read what happened in the key's own project.",
        [WebhooksRead] = "Read where the project's events are sent, and how each delivery went.",
        [WebhooksWrite] = "Change where the project's events are sent, and send them again. Needs a secret key.",
        [RoomsRead] = "See the organization's live rooms and who is in them. Needs a secret key.",
        [RoomsWrite] = "Come into the organization's live rooms; with a secret key also create and delete them, and be their host.",
    };

    public static bool Allow(this IReadOnlyCollection<string> scopes, string scope) =>
        scopes.Any(held => held is All || string.Equals(held, scope, StringComparison.Ordinal));

    /// <summary>Whether a holder of these scopes may hand out those: nobody gives what they do not have.</summary>
    public static bool Cover(this IReadOnlyCollection<string> scopes, IEnumerable<string> others) => others.All(scopes.Allow);
}
