using Vtp.Domain.Audit;
using Vtp.Unit.Architecture;

namespace Vtp.Unit.Audit;

/// <summary>docs/audit-actions.md and the list in the code are one.</summary>
public sealed class AuditActionsTests
{
    [Fact]
    public void The_documented_actions_are_those_of_the_list()
    {
        var rows = File.ReadAllLines(Source.Folder("docs/audit-actions.md")).Where(line => line.StartsWith("| `", StringComparison.Ordinal));

        rows.Should().Equal(AuditActions.All.Select(action => $"| `{action.Name}` | `{action.Resource}` | {action.Description} |"));
    }

    [Fact]
    public void Names_are_unique_and_of_the_form_area_dot_event()
    {
        AuditActions.All.Select(action => action.Name).Should().OnlyHaveUniqueItems().And.AllSatisfy(name => name.Should().MatchRegex("^[a-z_]+\\.[a-z_]+$"));
        AuditActions.All.Should().OnlyContain(action => action.Description.EndsWith('.') && action.Resource.Length > 0);
    }

    [Fact]
    public void A_name_that_nobody_knows_has_the_resource_that_it_begins_with() =>
        AuditActions.ResourceOf("room.opened").Should().Be("room");
}
