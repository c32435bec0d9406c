using System.Security.Cryptography;
using System.Text;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Common.Caching;

/// <summary>What kind of answer is kept, and for how long. Statistics and metrics count by it, so that there are few.</summary>
public sealed record CachePrefix
{
    public static readonly CachePrefix Project = new("project", TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(5), TimeSpan.FromHours(2));

    public static readonly CachePrefix Projects = new("projects:list", TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(30));

    public static readonly CachePrefix Organization = new("organization", TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(5), TimeSpan.FromHours(2));

    public static readonly CachePrefix Statistics = new("stats", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(2));

    private CachePrefix(string name, TimeSpan keepFor, TimeSpan shortest, TimeSpan longest) => (Name, KeepFor, Shortest, Longest) = (name, keepFor, shortest, longest);

    public static IReadOnlyList<CachePrefix> All { get; } = [Project, Projects, Organization, Statistics];

    public string Name { get; }

    /// <summary>Unless <see cref="ICacheLifetimes"/> says otherwise.</summary>
    public TimeSpan KeepFor { get; }

    /// <summary>Less, and it were hardly worth keeping.</summary>
    public TimeSpan Shortest { get; }

    /// <summary>For so long at most an answer is wrong whose removal got lost.</summary>
    public TimeSpan Longest { get; }

    public override string ToString() => Name;
}

/// <summary>
/// Where an answer is kept: <c>{prefix}:{organization}:{project}:{parts}</c>. Whose it is comes from the
/// <see cref="TenantScope"/> that Authorization opened, never from the request; what belongs to no tenant says so.
/// </summary>
public sealed record CacheKey
{
    public const int MaximumLength = 250;

    private CacheKey(CachePrefix prefix, string tenant, ReadOnlySpan<string> parts)
    {
        Prefix = prefix;
        Text = Fit($"{prefix}:{tenant}{CacheTag.Join(parts)}");
    }

    public CachePrefix Prefix { get; }

    public string Text { get; }

    /// <returns>Null when not exactly one organization is in view: such an answer is not kept.</returns>
    public static CacheKey? Of(TenantScope tenant, CachePrefix prefix, params ReadOnlySpan<string> parts) =>
        tenant.Organization is { } organization ? new CacheKey(prefix, tenant.Project is { } project ? $"{organization.Value}:{project.Value}" : $"{organization.Value}:all", parts) : null;

    /// <summary>For answers that hold nothing of any tenant, or of all together for those who run the installation.</summary>
    public static CacheKey Shared(CachePrefix prefix, params ReadOnlySpan<string> parts) => new(prefix, "shared", parts);

    public override string ToString() => Text;

    /// <summary>A text as caches take it: without spaces and no longer than 250, else its hash behind what stands before its last colon.</summary>
    public static string Fit(string text)
    {
        if (text.Length <= MaximumLength && !text.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return text;
        }

        var readable = text.AsSpan(0, Math.Min(text.Length, MaximumLength - (2 * SHA256.HashSizeInBytes) - 1));
        var end = Math.Max(readable.IndexOfAnyExceptInRange('!', '~'), 0);
        readable = end == 0 && readable.Length > 0 && readable[0] is >= '!' and <= '~' ? readable : readable[..end];
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        return $"{readable[..(readable.LastIndexOf(':') + 1)]}{hash}";
    }
}

/// <summary>A name under which kept answers are forgotten together: <c>{prefix}:{organization}:{parts}</c>.</summary>
public sealed record CacheTag
{
    private CacheTag(string text) => Text = CacheKey.Fit(text);

    public string Text { get; }

    public static CacheTag Of(OrganizationId organization, CachePrefix prefix, params ReadOnlySpan<string> parts) =>
        new($"{prefix}:{organization}{Join(parts)}");

    public static CacheTag Shared(CachePrefix prefix, params ReadOnlySpan<string> parts) => new($"{prefix}:shared{Join(parts)}");

    public override string ToString() => Text;

    /// <summary>No part can look like two.</summary>
    internal static string Join(ReadOnlySpan<string> parts)
    {
        if (parts.IsEmpty)
        {
            return "";
        }

        var text = new StringBuilder();
        foreach (var part in parts)
        {
            text.Append(':').Append(Uri.EscapeDataString(part));
        }

        return text.ToString();
    }
}
