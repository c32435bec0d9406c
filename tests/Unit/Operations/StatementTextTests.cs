using Vtp.Infrastructure.Performance;

namespace Vtp.Unit.Operations;

/// <summary>What is kept of a statement may be read by every administrator, for ever: no value of anybody's is in it.</summary>
public sealed class StatementTextTests
{
    [Theory]
    [InlineData("SELECT 'secret'", "SELECT ?")]
    [InlineData("SELECT 'it''s secret' , 'secret'", "SELECT ? , ?")]
    [InlineData(@"SELECT E'it\'s secret'", "SELECT ?")]
    [InlineData("SELECT $$secret$$, $a$secret $$ secret$a$", "SELECT ?, ?")]
    [InlineData("SELECT 'secret", "SELECT ?")]
    [InlineData("SELECT $a$secret", "SELECT ?")]
    [InlineData("SELECT 1 -- secret\nFROM a", "SELECT ? ? FROM a")]
    [InlineData("SELECT /* secret */ 1", "SELECT ? ?")]
    [InlineData("SELECT /* secret", "SELECT ?")]
    [InlineData("SELECT a1, b FROM t2 WHERE c = $1 AND d = @p0 AND e = 4711 LIMIT 2.5", "SELECT a1, b FROM t2 WHERE c = $1 AND d = @p0 AND e = ? LIMIT ?")]
    [InlineData("SELECT\n    a\n  FROM\tb", "SELECT a FROM b")]
    public void A_statement_is_kept_on_one_line_and_without_values(string sent, string kept) => StatementText.Normalise(sent).Should().Be(kept);

    [Fact]
    public void What_sets_whose_rows_are_seen_is_not_part_of_it() =>
        StatementText.Normalise("SELECT set_config('vtp.tenants', $1, true), set_config('vtp.project', $2, true);\nSELECT a FROM b").Should().Be("SELECT a FROM b");

    [Fact]
    public void It_is_cut_at_500_characters_and_a_value_behind_the_cut_is_not_uncovered_by_it()
    {
        var text = StatementText.Normalise($"SELECT {new string('a', 480)} WHERE b = '{string.Concat(Enumerable.Repeat("secret ", 1000))}'");

        text.Should().HaveLength(499).And.EndWith("b = ?");
        StatementText.Normalise(new string('a', 5000)).Should().HaveLength(500);
    }
}
