using System.Text.RegularExpressions;

namespace Vtp.Unit.Architecture;

/// <summary>Habits of the house that no compiler checks.</summary>
public sealed class SourceTests
{
    private static readonly IReadOnlyList<(string Path, string Text)> Code = Source.Files("src");

    [Theory]
    [InlineData(@"\bDateTime(Offset)?\.(UtcNow|Now)\b", "time comes from TimeProvider")]
    [InlineData(@"\.(Result\b(?!<)|Wait\(\)|GetAwaiter\(\)\.GetResult\(\))", "blocking on a task starves the pool")]
    [InlineData(@"catch[^{]*\{\s*\}", "an empty catch hides a fault")]
    [InlineData(@"\bdynamic\b", "types say what things are")]
    [InlineData("\"[^\"]*\\{@[^\"]*\"", "whole objects in a log line leak what they hold")]
    [InlineData(@"\b(TODO|FIXME|HACK)\b|NotImplementedException", "what is missing is built or left out")]
    [InlineData(@"\bnew Random\(|Random\.Shared", "randomness comes from RandomNumberGenerator")]
    [InlineData(@"(?m)^\s+(private|internal|public|protected) static (?!readonly|partial|async|event|extern|implicit|explicit|abstract|void|class)[\w<>\[\]?,. ]+ \w+( =[^>]|;)", "static state is shared by everything")]
    public void Nothing_in_src_matches(string pattern, string because)
    {
        Code.Should().HaveCountGreaterThan(100);
        var rule = new Regex(pattern, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10));
        var offenders = Code.Where(file => rule.IsMatch(WithoutComments(file.Text)))
            .Select(file => $"{file.Path}: {rule.Match(WithoutComments(file.Text)).Value.Trim()}");
        offenders.Should().BeEmpty(because);
    }

    [Fact]
    public void No_file_is_longer_than_400_lines()
    {
        Code.Should().NotBeEmpty();
        Code.Where(file => file.Text.Count(character => character == '\n') > 400).Select(file => file.Path).Should().BeEmpty();
    }

    [Fact]
    public void Commands_with_secrets_never_print_them()
    {
        // Records print their fields; a log line or an exception text with a command in it would show a password.
        var interpolated = new Regex(@"\{(request|command)\}", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10));
        Code.Should().NotBeEmpty();
        Code.Where(file => interpolated.IsMatch(file.Text)).Select(file => file.Path).Should().BeEmpty();
    }

    [Fact]
    public void A_mail_comes_with_the_job_that_sends_it()
    {
        var adding = new Regex(@"\bEmails\.Add", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10));
        Code.Where(file => adding.IsMatch(file.Text)).Select(file => Path.GetFileName(file.Path)).Should().Equal("SendEmail.cs");
    }

    private static string WithoutComments(string text) =>
        Regex.Replace(text, "(?m)^\\s*//.*$", "", RegexOptions.None, TimeSpan.FromSeconds(10));
}
