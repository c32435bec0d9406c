using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Unit.Architecture;

namespace Vtp.Unit.Tenancy;

public sealed class ApiKeyTextTests
{
    [Theory]
    [InlineData("vtp_sk_live_0000000000000000000000000001BRs7I")]
    [InlineData("vtp_pk_test_ABCDEFGHIJKLMNOPQRSTUVWXYZa4LufJ8")]
    public void The_checksum_is_zlibs_crc32(string text) => ApiKeyText.IsWellFormed(text).Should().BeTrue();

    [Fact]
    public void Every_key_has_the_published_form_and_a_hundred_and_sixty_random_bits()
    {
        var keys = Enumerable.Range(0, 2000)
            .Select(index => ApiKeyText.New((ApiKeyKind)(index % 2), (ApiKeyEnvironment)(index / 2 % 2)))
            .ToList();

        keys.Should().OnlyContain(key => Regex.IsMatch(key.Value, $"^{ApiKeyText.Pattern}$", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)) && ApiKeyText.IsWellFormed(key.Value));
        keys.Select(key => key.Value).Should().OnlyHaveUniqueItems();
        Math.Log2(62).Should().BeGreaterThan(160.0 / 27, "27 digits hold 160 bits");
        keys.Select(key => key.Value[..12]).Distinct(StringComparer.Ordinal).Should().BeEquivalentTo("vtp_sk_live_", "vtp_pk_live_", "vtp_sk_test_", "vtp_pk_test_");
    }

    [Fact]
    public void A_key_prints_as_its_preview()
    {
        var key = ApiKeyText.New(ApiKeyKind.Secret, ApiKeyEnvironment.Live);

        $"{key}".Should().Be($"vtp_sk_live_...{key.Value[^4..]}").And.Be(key.Preview);
    }

    [Fact]
    public void One_wrong_character_anywhere_is_noticed()
    {
        var key = ApiKeyText.New(ApiKeyKind.Secret, ApiKeyEnvironment.Live).Value;
        for (var position = 0; position < key.Length; position++)
        {
            foreach (var wrong in "09AZaz_-é\0 ".Where(character => character != key[position]))
            {
                ApiKeyText.IsWellFormed($"{key.AsSpan(0, position)}{wrong}{key.AsSpan(position + 1)}").Should().BeFalse($"{wrong} at {position}");
            }
        }

        ApiKeyText.IsWellFormed(key.AsSpan(0, key.Length - 1)).Should().BeFalse();
        ApiKeyText.IsWellFormed(key + "0").Should().BeFalse();
    }

    [Fact]
    public void No_text_is_a_key_by_accident() =>
        Prop.ForAll<string>(text => !ApiKeyText.IsWellFormed(text) && !LegacyKeyText.IsLegacy(text)).QuickCheckThrowOnFailure();

    [Fact]
    public void The_guide_publishes_the_pattern_and_every_scope()
    {
        var guide = File.ReadAllText(Source.Folder("docs/api-keys.md"));

        guide.Should().Contain($"`{ApiKeyText.Pattern}`");
        guide.Should().ContainAll(KeyScopes.Catalogue.Select(scope => $"| `{scope.Key}` | {scope.Value} |"));
    }
}
