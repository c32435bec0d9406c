using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

public sealed class SessionTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Signing_out_ends_this_session_at_once()
    {
        var person = await api.RegisterAsync();
        var other = await person.SignInAgainAsync();

        (await person.PostAsync("auth/logout")).Status.Should().Be(HttpStatusCode.OK);

        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.PostAsync("auth/refresh", new { refresh_token = person.RefreshToken })).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await other.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Signing_out_everywhere_ends_them_all()
    {
        var person = await api.RegisterAsync();
        var other = await person.SignInAgainAsync();

        var answer = await person.PostAsync("auth/logout-all");

        answer.Body.GetProperty("sessions_ended").GetInt32().Should().Be(2);
        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await other.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Sessions_are_listed_and_one_can_be_ended_but_only_ones_own()
    {
        var (person, stranger) = (await api.RegisterAsync(), await api.RegisterAsync());
        var other = await person.SignInAgainAsync();

        var sessions = (await person.GetAsync("auth/sessions")).Body.GetProperty("data").EnumerateArray().ToList();
        sessions.Should().HaveCount(2);
        sessions.Count(session => session.GetProperty("current").GetBoolean()).Should().Be(1);
        var otherId = sessions.Single(session => !session.GetProperty("current").GetBoolean()).GetProperty("id").GetString();

        (await api.SendAsync(HttpMethod.Delete, $"auth/sessions/{otherId}", token: stranger.AccessToken)).Status.Should().Be(HttpStatusCode.NotFound);
        (await other.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);
        (await api.SendAsync(HttpMethod.Delete, $"auth/sessions/{otherId}", token: person.AccessToken)).Status.Should().Be(HttpStatusCode.NoContent);
        (await other.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_session_that_ended_on_another_node_stops_here_within_two_seconds()
    {
        var person = await api.RegisterAsync();
        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);

        // What another node would commit.
        await api.QueryAsync<int>("UPDATE sessions SET ended_at = now(), end_reason = 'revoked' WHERE account_id = $1", person.UserId);
        var since = System.Diagnostics.Stopwatch.StartNew();
        await VtpApi.UntilAsync(async () => (await person.GetAsync("auth/profile")).Status == HttpStatusCode.Unauthorized, "the session to end here");

        since.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_mailed_code_signs_in_once_after_at_most_five_tries()
    {
        var person = await (await api.RegisterAsync()).VerifyEmailAsync();
        var code = await RequestCodeAsync(person.Email);

        var answer = await SignInWithCodeAsync(person.Email, code);
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        answer.Body.GetProperty("user").GetProperty("user_id").GetGuid().Should().Be(person.UserId);
        (await SignInWithCodeAsync(person.Email, code)).Error.Should().Be("email_code.rejected");

        var second = await RequestCodeAsync(person.Email, atLeast: 2);
        for (var attempt = 0; attempt < 5; attempt++)
        {
            (await SignInWithCodeAsync(person.Email, second == "000000" ? "000001" : "000000")).Error.Should().Be("email_code.rejected");
        }

        (await SignInWithCodeAsync(person.Email, second)).Error.Should().Be("email_code.rejected");
    }

    [Fact]
    public async Task A_mailed_code_dies_after_ten_minutes_and_works_once_under_ten_parallel_tries()
    {
        var person = await (await api.RegisterAsync()).VerifyEmailAsync();
        var late = await RequestCodeAsync(person.Email);
        api.Clock.Advance(TimeSpan.FromMinutes(10));
        (await SignInWithCodeAsync(person.Email, late)).Error.Should().Be("email_code.rejected");

        var code = await RequestCodeAsync(person.Email, atLeast: 2);
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SignInWithCodeAsync(person.Email, code)));
        answers.Count(answer => answer.Status == HttpStatusCode.OK).Should().Be(1);
    }

    [Fact]
    public async Task A_mailed_code_is_only_the_first_factor()
    {
        var person = await (await api.RegisterAsync()).VerifyEmailAsync();
        var (app, _) = await person.EnableTwoFactorAsync();
        var code = await RequestCodeAsync(person.Email);

        var answer = await SignInWithCodeAsync(person.Email, code);

        answer.Body.GetProperty("requires_2fa").GetBoolean().Should().BeTrue();
        answer.Has("access_token").Should().BeFalse();
        (await api.PostAsync("auth/2fa/verify", new { challenge_token = answer["challenge_token"], code = app.Code() })).Status.Should().Be(HttpStatusCode.OK);
    }

    private async Task<string> RequestCodeAsync(string email, int atLeast = 1)
    {
        (await api.PostAsync("auth/otp/request", new { email })).Status.Should().Be(HttpStatusCode.OK);
        var mail = await api.MailToAsync(email, "code", atLeast);
        return System.Text.RegularExpressions.Regex.Match(
            mail, @"(?m)^\s*[0-9]{6}\s*$", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)).Value.Trim();
    }

    private Task<Answer> SignInWithCodeAsync(string email, string code) => api.PostAsync("auth/otp/verify", new { email, code });
}
