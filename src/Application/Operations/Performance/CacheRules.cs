using Vtp.Application.Common.Caching;
using Vtp.Application.Operations.Cache;

namespace Vtp.Application.Operations.Performance;

/// <param name="KeepFor">What would be better; null where time does not help.</param>
internal sealed record CacheFinding(PerformanceFinding Finding, CachePrefix Prefix, TimeSpan? KeepFor);

/// <summary>
/// When answers are kept for the wrong time. A time is doubled or halved, and then judged by what happens from then on, so
/// that nothing follows from the same numbers twice.
/// </summary>
internal static class CacheRules
{
    // Of fewer a share says little.
    private const int FewReads = 200;
    private const double PoorHitRate = 0.8;
    private const double InVain = 0.2;
    private const double MostMisses = 0.5;
    private const double ManyCold = 0.1;

    /// <returns>Null when there is nothing to say.</returns>
    public static CacheFinding? Find(CacheEvidence one, IReadOnlyList<CacheEvidence> all)
    {
        if (one.Reads < FewReads)
        {
            return null;
        }

        var hitRate = (double)(one.Reads - one.Misses) / one.Reads;
        var (longer, shorter) = (Min(one.KeepFor * 2, one.Prefix.Longest), Max(one.KeepFor / 2, one.Prefix.Shortest));
        return hitRate < PoorHitRate && one.Removed >= one.Misses * MostMisses
            ? Of("cache_removed", "Answers are forgotten about as often as they are read: each change of what they show makes them wrong.", keepFor: null,
                "Look whether something changes them that need not.")
            : hitRate < PoorHitRate && one.Expired >= one.Misses * MostMisses && longer > one.KeepFor
            ? Of("cache_expired", "Answers that nothing has made wrong are asked for again, because their time was over.", longer, "Keep them for longer.")
            : hitRate < InVain && all.Any(other => other.Evictions > 0) && shorter < one.KeepFor
            ? Of("cache_in_vain", "Answers that are seldom asked for again take the room of others.", shorter, "Keep them for less long, or raise Cache__MaximumEntries and Cache__MaximumBytes.")
            : null;

        CacheFinding Of(string rule, string finding, TimeSpan? keepFor, string advice) => new(
            new(
                rule,
                finding,
                new Dictionary<string, double>(StringComparer.Ordinal)
                {
                    ["hit_rate"] = Math.Round(hitRate, 4),
                    ["reads"] = one.Reads,
                    ["misses"] = one.Misses,
                    ["expired"] = one.Expired,
                    ["removed"] = one.Removed,
                    ["evictions"] = one.Evictions,
                    ["keep_seconds"] = one.KeepFor.TotalSeconds,
                },
                [one.Prefix.Name],
                [advice]),
            one.Prefix,
            keepFor);
    }

    /// <param name="projects">How many are wanted at hand, and how many of them are not.</param>
    public static PerformanceFinding? Find((int Hot, int Cold) projects) => projects.Cold <= projects.Hot * ManyCold ? null : new(
        "cache_cold",
        "Projects whose keys were used last are not at hand on this node.",
        new Dictionary<string, double>(StringComparer.Ordinal) { ["wanted"] = projects.Hot, ["cold"] = projects.Cold },
        [CachePrefix.Project.Name],
        ["Read them ahead: POST /api/v1/admin/cache/warm."]);

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
