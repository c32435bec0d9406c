using System.Globalization;
using System.Text.RegularExpressions;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

/// <summary>A server with its limits as they are shipped, behind a proxy that says where callers come from.</summary>
public class DoorApi : VtpApi
{
    private static int s_addresses;

    protected override bool WithoutLimits => false;

    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("TrustedProxies", "127.0.0.1")];

    /// <summary>Where no other test comes from.</summary>
    public static string NewAddress() => $"203.0.113.{Interlocked.Increment(ref s_addresses)}";
}

/// <summary>One policy, as the two fields of an answer tell it.</summary>
public sealed partial record ToldLimit(string Policy, int Quota, int WindowSeconds, int Remaining, int MoreInSeconds)
{
    /// <summary>Reads them as their draft writes them: lists of strings with parameters that are numbers (RFC 9651).</summary>
    public static IReadOnlyList<ToldLimit> Of(Answer answer)
    {
        if (!answer.Headers.TryGetValues("RateLimit", out var left))
        {
            answer.Headers.Contains("RateLimit-Policy").Should().BeFalse();
            return [];
        }

        var policies = Items(answer.Headers.GetValues("RateLimit-Policy").Single(), "q", "w");
        var budgets = Items(left.Single(), "r", "t");
        budgets.Select(budget => budget.Name).Should().Equal(policies.Select(policy => policy.Name));
        return [.. policies.Zip(budgets, (policy, budget) => new ToldLimit(policy.Name, policy.First, policy.Second, budget.First, budget.Second))];
    }

    private static List<(string Name, int First, int Second)> Items(string field, string first, string second) => [.. field.Split(", ").Select(item =>
    {
        var match = Item().Match(item);
        match.Success.Should().BeTrue(field);
        match.Groups["first"].Value.Should().Be(first);
        match.Groups["second"].Value.Should().Be(second);
        return (match.Groups["name"].Value, Number("one"), Number("two"));

        int Number(string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    })];

    [GeneratedRegex("""^"(?<name>[a-z-]+)";(?<first>[a-z])=(?<one>[0-9]+);(?<second>[a-z])=(?<two>[0-9]+)$""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Item();
}
