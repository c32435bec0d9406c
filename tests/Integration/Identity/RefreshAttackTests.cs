using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

public sealed class RefreshAttackTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Fifty_parallel_refreshes_with_one_token_sign_nobody_out_and_leave_one_family()
    {
        var person = await api.RegisterAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => RefreshAsync(person.RefreshToken)));

        answers.Should().OnlyContain(answer => answer.Status == HttpStatusCode.OK);
        answers.Select(answer => answer["refresh_token"]).Distinct(StringComparer.Ordinal).Should().ContainSingle();
        (await RefreshAsync(answers[0]["refresh_token"])).Status.Should().Be(HttpStatusCode.OK);
        (await person.GetAsync("auth/sessions")).Body.GetProperty("data").GetArrayLength().Should().Be(1);
        foreach (var answer in answers)
        {
            (await api.GetAsync("auth/profile", answer["access_token"])).Status.Should().Be(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task A_token_reused_after_the_grace_ends_that_family_only_and_raises_a_security_event()
    {
        var person = await api.RegisterAsync();
        var otherDevice = await person.SignInAgainAsync();
        var successor = (await RefreshAsync(person.RefreshToken))["refresh_token"];
        api.Clock.Advance(TimeSpan.FromSeconds(31));

        var reused = await RefreshAsync(person.RefreshToken);

        reused.Status.Should().Be(HttpStatusCode.Unauthorized);
        reused["message"].Should().Be("Invalid refresh token");
        (await RefreshAsync(successor)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized, "the thief may hold the access token as well");
        (await RefreshAsync(otherDevice.RefreshToken)).Status.Should().Be(HttpStatusCode.OK);
        (await otherDevice.GetAsync("auth/security-events")).Text.Should().Contain("\"refresh_token_reused\"");
    }

    [Fact]
    public async Task A_guess_at_somebody_elses_family_harms_nobody()
    {
        var person = await api.RegisterAsync();
        var forged = person.RefreshToken[..^4] + (person.RefreshToken.EndsWith("AAAA", StringComparison.Ordinal) ? "BBBB" : "AAAA");

        (await RefreshAsync(forged)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await RefreshAsync(person.RefreshToken)).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_session_ends_when_it_is_not_refreshed_for_a_week()
    {
        var person = await api.RegisterAsync();
        api.Clock.Advance(TimeSpan.FromHours(169));

        (await RefreshAsync(person.RefreshToken)).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    private Task<Answer> RefreshAsync(string token) => api.PostAsync("auth/refresh", new { refresh_token = token });
}
