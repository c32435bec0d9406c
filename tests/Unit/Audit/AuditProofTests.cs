using System.Text.Json;
using System.Text.RegularExpressions;
using Vtp.Domain.Audit;
using Vtp.Unit.Architecture;

namespace Vtp.Unit.Audit;

/// <summary>docs/audit-proof.md is what an independent verifier is written from: its examples are those of the code.</summary>
public sealed class AuditProofTests
{
    private static readonly string Text = File.ReadAllText(Source.Folder("docs/audit-proof.md"));

    [Fact]
    public void Its_lines_have_the_fields_of_a_real_export()
    {
        using var export = SignedExport.New();
        var real = export.Text().Split('\n', StringSplitOptions.RemoveEmptyEntries).GroupBy(Type, StringComparer.Ordinal)
            .ToDictionary(lines => lines.Key, lines => Names(lines.First()), StringComparer.Ordinal);
        var shown = Regex.Matches(Text, "(?m)^\\{\"type\".*$", RegexOptions.None, TimeSpan.FromSeconds(1)).Select(match => match.Value).ToList();

        shown.Select(Type).Should().Equal("export", "entry", "retention", "checkpoint");
        foreach (var line in shown)
        {
            Names(line).Should().BeEquivalentTo(real[Type(line)], line);
        }
    }

    [Fact]
    public void Its_payloads_are_those_that_are_signed()
    {
        var organization = Guid.Parse("0198c0de-0000-7000-8000-000000000001");
        var at = DateTimeOffset.FromUnixTimeSeconds(1795240800);

        Text.Should().Contain(System.Text.Encoding.UTF8.GetString(new AuditRetention(organization, [new AuditRange(1, 20), new AuditRange(91, 100)], at).ToPayload()))
            .And.Contain(System.Text.Encoding.UTF8.GetString(new AuditCheckpoint(organization, 200, "...", at).ToPayload()))
            .And.Contain(AuditChain.Genesis);
    }

    [Fact]
    public void What_the_script_prints_is_what_it_shows() =>
        Text.Should().Contain("Checked 170 entries up to 200 and 11 checkpoints; 0 entries are covered by none.")
            .And.Contain($"{File.ReadAllLines(Source.Folder("docs/examples/verify-audit.mjs")).Length} lines of JavaScript");

    private static string Type(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("type").GetString()!;
    }

    private static List<string> Names(string line)
    {
        using var document = JsonDocument.Parse(line);
        return [.. document.RootElement.EnumerateObject().Select(member => member.Name)];
    }
}
