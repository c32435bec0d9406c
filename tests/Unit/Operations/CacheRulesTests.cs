using Vtp.Application.Common.Caching;
using Vtp.Application.Operations.Cache;
using Vtp.Application.Operations.Performance;

namespace Vtp.Unit.Operations;

/// <summary>Of projects, which are kept for 30 minutes, at least 5 and at most 120.</summary>
public sealed class CacheRulesTests
{
    [Theory]
    [InlineData(199, 199, 199, 0, 30, null, null, "too few to tell")]
    [InlineData(200, 40, 40, 0, 30, null, null, "four of five is well")]
    [InlineData(200, 41, 21, 0, 30, "cache_expired", 60, "most were still right")]
    [InlineData(200, 41, 20, 0, 30, null, null, "most were never kept")]
    [InlineData(200, 100, 60, 0, 90, "cache_expired", 120, "its longest time")]
    [InlineData(200, 100, 60, 0, 120, null, null, "longer it may not be")]
    [InlineData(200, 100, 40, 50, 30, "cache_removed", null, "time does not help")]
    [InlineData(200, 161, 0, 0, 30, "cache_in_vain", 15, "others were pushed out for it")]
    [InlineData(200, 160, 0, 0, 30, null, null, "a fifth is not in vain")]
    [InlineData(200, 200, 0, 0, 8, "cache_in_vain", 5, "its shortest time")]
    [InlineData(200, 200, 0, 0, 5, null, null, "shorter it may not be")]
    public void A_time_changes_for_a_reason_and_within_its_bounds(long reads, long misses, long expired, long removed, int minutes, string? rule, int? better, string because)
    {
        var one = new CacheEvidence(CachePrefix.Project, TimeSpan.FromMinutes(minutes), reads, misses, expired, removed, Evictions: 0);
        var full = new CacheEvidence(CachePrefix.Organization, TimeSpan.FromMinutes(30), 0, 0, 0, 0, Evictions: 1);

        var found = CacheRules.Find(one, [one, full]);

        (found?.Finding.Rule, found?.KeepFor?.TotalMinutes).Should().Be((rule, (double?)better), because);
        found?.Finding.Evidence.Should().Contain("reads", reads).And.Contain("misses", misses);
    }

    [Fact]
    public void While_there_is_room_for_all_nothing_is_kept_in_vain()
    {
        var one = new CacheEvidence(CachePrefix.Project, TimeSpan.FromMinutes(30), 200, 200, 0, 0, Evictions: 0);

        CacheRules.Find(one, [one]).Should().BeNull();
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(100, 10, false)]
    [InlineData(100, 11, true)]
    [InlineData(1, 1, true)]
    public void A_few_cold_projects_are_no_finding(int hot, int cold, bool isFound) => (CacheRules.Find((hot, cold)) is not null).Should().Be(isFound);

    [Fact]
    public void The_usual_time_of_each_prefix_lies_within_its_bounds() =>
        CachePrefix.All.Should().OnlyContain(prefix => prefix.Shortest < prefix.KeepFor && prefix.KeepFor < prefix.Longest);
}
