using System.Text.Json;
using System.Text.RegularExpressions;
using Vtp.Domain.Events;
using Vtp.Unit.Architecture;

namespace Vtp.Unit.Events;

/// <summary>What receivers were promised: a type or a field that goes missing fails here before it fails there.</summary>
public sealed class EventCatalogueTests
{
    [Fact]
    public void Every_type_and_its_fields_stand_in_the_docs_and_no_others_do()
    {
        var documented = Regex.Matches(File.ReadAllText(Source.Folder("docs/events.md")), @"^\| `[a-z_.]+` \| .* \|$", RegexOptions.Multiline, TimeSpan.FromSeconds(5))
            .Select(row => row.Value);

        EventCatalogue.All.Should().NotBeEmpty();
        documented.Should().BeEquivalentTo(EventCatalogue.All.Select(kind => $"| `{kind.Type}` | {Fields(kind)} | {kind.Summary} |"));
    }

    [Fact]
    public void A_type_is_a_thing_and_what_happened_to_it()
    {
        EventCatalogue.All.Should().OnlyContain(kind => Regex.IsMatch(kind.Type, @"^[a-z_]+\.[a-z_]+\z", RegexOptions.None, TimeSpan.FromSeconds(5)));
        EventCatalogue.All.Should().OnlyHaveUniqueItems(kind => kind.Type);
    }

    [Theory]
    [InlineData("project.created", "project.created", true)]
    [InlineData("project.*", "project.created", true)]
    [InlineData("*", "project.created", true)]
    [InlineData("project", "project.created", false)]
    [InlineData("project.create", "project.created", false)]
    [InlineData("member.*", "project.created", false)]
    public void A_pattern_means_one_type_or_all_that_begin_like_it(string pattern, string type, bool matches) =>
        EventCatalogue.Matches(pattern, type).Should().Be(matches);

    [Fact]
    public void Only_what_can_happen_is_a_pattern()
    {
        new[] { "*", "project.*", "project.created" }.Should().OnlyContain(pattern => EventCatalogue.IsPattern(pattern));
        new[] { "", "nothing.*", "project", "project.created ", "**", "*.created" }.Should().OnlyContain(pattern => !EventCatalogue.IsPattern(pattern));
    }

    private static string Fields(EventKind kind) =>
        string.Join(", ", kind.Data.GetProperties().Select(property => $"`{JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)}`"));
}
