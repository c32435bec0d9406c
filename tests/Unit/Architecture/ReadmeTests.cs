using System.Text.RegularExpressions;

namespace Vtp.Unit.Architecture;

/// <summary>A threat model that names a test which is gone is a promise that nobody keeps.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void Every_test_that_a_threat_model_names_exists()
    {
        var tests = string.Concat(Source.Files("tests").Select(file => file.Text));
        var named = Source.Files("src", "README.md")
            .SelectMany(file => Regex.Matches(file.Text, "`(?<name>[A-Z][A-Za-z]*(_[A-Za-z0-9]+){2,})`", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))
            .Select(match => match.Groups["name"].Value)
            .ToList();

        named.Should().HaveCountGreaterThan(30);
        named.Where(name => !tests.Contains($" {name}(", StringComparison.Ordinal)).Should().BeEmpty();
    }

    [Theory]
    [InlineData("src/Application/Identity")]
    [InlineData("src/Application/Tenancy")]
    [InlineData("src/Infrastructure/Tenancy")]
    [InlineData("src/Infrastructure/Audit")]
    [InlineData("src/Infrastructure/Tokens")]
    [InlineData("src/Infrastructure/Passwords")]
    [InlineData("src/Infrastructure/Secrets")]
    [InlineData("src/Infrastructure/Webhooks")]
    [InlineData("src/Infrastructure/Tracker")]
    [InlineData("src/Infrastructure/Relay")]
    [InlineData("src/Infrastructure/Profiling")]
    [InlineData("src/Infrastructure/Observability")]
    [InlineData("src/Infrastructure/Caching")]
    [InlineData("src/Infrastructure/RateLimiting")]
    [InlineData("src/Domain/Rooms/LiveKit")]
    [InlineData("src/Api/Console")]
    [InlineData("src/Api/Realtime")]
    [InlineData("src/Api/Realtime/Signaling")]
    public void Where_the_stakes_are_high_a_threat_model_stands_beside_the_code(string folder) =>
        File.Exists(Path.Combine(Source.Folder(folder), "README.md")).Should().BeTrue();
}
