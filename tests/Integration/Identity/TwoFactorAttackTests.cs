using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

public sealed class TwoFactorAttackTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task One_totp_code_sent_fifty_times_at_once_succeeds_once()
    {
        var person = await api.RegisterAsync();
        var (app, _) = await person.EnableTwoFactorAsync();
        var challenges = new List<string>();
        for (var count = 0; count < 10; count++)
        {
            challenges.Add(await person.ChallengeAsync());
        }

        var code = app.Code();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50)
            .Select(index => api.PostAsync("auth/2fa/verify", new { challenge_token = challenges[index % 10], code })));

        answers.Count(answer => answer.Status == HttpStatusCode.OK).Should().Be(1);
        answers.Where(answer => answer.Status != HttpStatusCode.OK).Should()
            .OnlyContain(answer => answer.Status == HttpStatusCode.Unauthorized || answer.Status == HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task The_code_that_enabled_two_factor_cannot_sign_in_again()
    {
        var person = await api.RegisterAsync();
        var setup = await person.PostAsync("auth/2fa/setup");
        var code = new Authenticator(api, setup["secret"]).Code();
        (await person.PostAsync("auth/2fa/enable", new { code })).Status.Should().Be(HttpStatusCode.OK);

        var again = await api.PostAsync("auth/2fa/verify", new { challenge_token = await person.ChallengeAsync(), code });

        again.Status.Should().Be(HttpStatusCode.Unauthorized);
        again.Error.Should().Be("two_factor.code_rejected");
    }

    [Fact]
    public async Task A_backup_code_works_once_under_fifty_parallel_tries()
    {
        var person = await api.RegisterAsync();
        var (_, backupCodes) = await person.EnableTwoFactorAsync();
        var challenges = new List<string>();
        for (var count = 0; count < 10; count++)
        {
            challenges.Add(await person.ChallengeAsync());
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 50)
            .Select(index => api.PostAsync("auth/2fa/verify", new { challenge_token = challenges[index % 10], code = backupCodes[0] })));

        answers.Count(answer => answer.Status == HttpStatusCode.OK).Should().Be(1);
        (await person.SignInWithCodeAsync(backupCodes[0])).Status.Should().NotBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Guessing_ends_the_challenge_after_five_and_locks_the_second_factor_but_not_the_password_after_ten()
    {
        var person = await api.RegisterAsync();
        var (app, backupCodes) = await person.EnableTwoFactorAsync();
        var wrong = app.WrongCode();

        var first = await person.ChallengeAsync();
        for (var attempt = 1; attempt <= 4; attempt++)
        {
            (await api.PostAsync("auth/2fa/verify", new { challenge_token = first, code = wrong })).Error.Should().Be("two_factor.code_rejected");
        }

        (await api.PostAsync("auth/2fa/verify", new { challenge_token = first, code = wrong })).Error.Should().Be("two_factor.challenge_ended");
        (await api.PostAsync("auth/2fa/verify", new { challenge_token = first, code = app.Code() })).Error.Should().Be("two_factor.challenge_ended");

        var second = await person.ChallengeAsync();
        for (var attempt = 6; attempt <= 9; attempt++)
        {
            (await api.PostAsync("auth/2fa/verify", new { challenge_token = second, code = wrong })).Status.Should().Be(HttpStatusCode.Unauthorized);
        }

        var tenth = await api.PostAsync("auth/2fa/verify", new { challenge_token = second, code = wrong });
        tenth.Status.Should().Be(HttpStatusCode.TooManyRequests);
        tenth.Error.Should().Be("two_factor.locked");
        tenth.Headers.RetryAfter!.Delta.Should().BeCloseTo(TimeSpan.FromMinutes(15), TimeSpan.FromSeconds(5));

        // The password still opens the first door; neither the right code nor a backup code opens the second.
        var locked = await person.ChallengeAsync();
        (await api.PostAsync("auth/2fa/verify", new { challenge_token = locked, code = app.Code() })).Error.Should().Be("two_factor.locked");
        (await api.PostAsync("auth/2fa/verify", new { challenge_token = locked, code = backupCodes[0] })).Error.Should().Be("two_factor.locked");

        api.Clock.Advance(TimeSpan.FromMinutes(15));
        (await person.SignInWithCodeAsync(app.Code())).Status.Should().Be(HttpStatusCode.OK);
    }
}

internal static class TwoFactorIntents
{
    public static async Task<Answer> SignInWithCodeAsync(this Person person, string code) =>
        await person.Api.PostAsync("auth/2fa/verify", new { challenge_token = await person.ChallengeAsync(), code });
}
