using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Vtp.Integration.Fixture;

internal static partial class ProblemAssertions
{
    /// <summary>The one form of every refusal, whoever refused, and nothing in it of how the server is made.</summary>
    public static void ShouldBeProblem(this Answer answer, HttpStatusCode status, string error, string? field = null)
    {
        answer.ShouldBeProblem();
        answer.Status.Should().Be(status, answer.Text);
        answer.Error.Should().Be(error);
        if (field is not null)
        {
            answer.Body.GetProperty("errors").EnumerateObject().Select(entry => entry.Name).Should().Equal(field);
            answer.Body.GetProperty("errors").GetProperty(field).EnumerateArray().Should().NotBeEmpty();
        }
    }

    public static void ShouldBeProblem(this Answer answer)
    {
        answer.ContentHeaders.ContentType?.ToString().Should().Be("application/problem+json", answer.Text);
        answer.Body.GetProperty("status").GetInt32().Should().Be((int)answer.Status);
        answer["type"].Should().Be($"urn:vtp:problem:{answer.Error}");
        answer["title"].Should().NotBeEmpty();
        answer["message"].Should().Be(answer["detail"]).And.NotBeEmpty();
        answer["trace_id"].Should().MatchRegex("^[0-9a-f]{32}$").And.Be(answer.Headers.GetValues("X-Request-ID").Single());
        answer.Headers.GetValues("X-Content-Type-Options").Should().Equal("nosniff");
        answer.Headers.CacheControl!.NoStore.Should().BeTrue();
        answer.Text.Should().NotMatchRegex(Leaks());
        if (answer.Has("errors"))
        {
            answer.Body.GetProperty("errors").ValueKind.Should().Be(JsonValueKind.Object);
        }
    }

    [GeneratedRegex(@"Exception|Vtp\.|System\.|Microsoft\.|Npgsql|Command\b|Query\b|Handler|SELECT |INSERT |UPDATE |relation|\.cs\b|/(src|tmp|work|home|root|usr)/| at \w+\.", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Leaks();
}
