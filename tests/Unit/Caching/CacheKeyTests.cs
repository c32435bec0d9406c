using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Caching;

namespace Vtp.Unit.Caching;

public sealed class CacheKeyTests
{
    private static readonly OrganizationId One = new(Guid.CreateVersion7());
    private static readonly OrganizationId Other = new(Guid.CreateVersion7());
    private static readonly ProjectId Project = new(Guid.CreateVersion7());

    [Fact]
    public void The_same_ids_of_two_tenants_are_two_keys_and_two_tags()
    {
        var keys = new[] { One, Other }.SelectMany(organization => new[] { In(organization), In(organization, Project) })
            .Select(tenant => CacheKey.Of(tenant, CachePrefix.Project, Project.ToString())!.Text)
            .Append(CacheKey.Shared(CachePrefix.Project, Project.ToString()).Text);
        keys.Should().OnlyHaveUniqueItems();

        string[] tags = [CacheTag.Of(One, CachePrefix.Project, "x").Text, CacheTag.Of(Other, CachePrefix.Project, "x").Text, CacheTag.Shared(CachePrefix.Project, "x").Text];
        tags.Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public void What_is_about_no_tenant_or_about_several_has_no_key()
    {
        var tenant = new TenantScope();
        CacheKey.Of(tenant, CachePrefix.Project).Should().BeNull();
        tenant.EnterSystem();
        CacheKey.Of(tenant, CachePrefix.Project).Should().BeNull();
        tenant.Enter([One, Other]);
        CacheKey.Of(tenant, CachePrefix.Project).Should().BeNull();
    }

    [Fact]
    public void No_part_looks_like_two_and_none_like_a_tenant()
    {
        string[] keys =
        [
            Key("a:b", "c"), Key("a", "b:c"), Key("a", "b", "c"), Key("a:b:c"), Key("a%3Ab", "c"), Key(""), Key("", ""), Key(),
        ];
        keys.Should().OnlyHaveUniqueItems();
        keys.Should().OnlyContain(key => key.StartsWith($"project:{One}:all", StringComparison.Ordinal));

        static string Key(params string[] parts) => CacheKey.Of(In(One), CachePrefix.Project, parts)!.Text;
    }

    [Fact]
    public void A_long_key_is_hashed_behind_its_prefix_and_tenant_and_has_no_spaces()
    {
        var (first, second) = (Key(new string('x', 500)), Key(new string('x', 499) + "y"));

        first.Should().StartWith($"project:{One}:all:").And.NotBe(second);
        first.Length.Should().BeLessThanOrEqualTo(CacheKey.MaximumLength);
        CacheNames.Of(first, []).Should().Contain($"k:project:{One}", "it is removed with its tenant's");
        Key("a b\r\nc").Should().MatchRegex("^[!-~]+$");
        foreach (var text in new[] { "a b", " ", "", "ä", "key:with space", new string('k', 251), new string('ü', 300), "a:" + new string(' ', 300) })
        {
            CacheKey.Fit(text).Should().MatchRegex("^[!-~]*$").And.Match(key => key.Length <= CacheKey.MaximumLength);
            CacheKey.Fit(CacheKey.Fit(text)).Should().Be(CacheKey.Fit(text));
        }

        new[] { "a b", "a  b", "ab", "a\tb" }.Select(CacheKey.Fit).Should().OnlyHaveUniqueItems();

        static string Key(string part) => CacheKey.Of(In(One), CachePrefix.Project, part)!.Text;
    }

    private static TenantScope In(OrganizationId organization, ProjectId? project = null)
    {
        var tenant = new TenantScope();
        tenant.Enter(organization, project, 365);
        return tenant;
    }
}
