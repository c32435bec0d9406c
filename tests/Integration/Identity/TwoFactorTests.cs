using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

public sealed class TwoFactorTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task From_set_up_to_a_sign_in_with_both_factors()
    {
        var person = await api.RegisterAsync();
        var setup = await person.PostAsync("auth/2fa/setup", new { password = person.Password });
        setup["qr_code_url"].Should().StartWith("otpauth://totp/").And.Contain(setup["secret"]);
        Convert.FromBase64String(setup["qr_code_png"].Split(',')[1])[..4].Should().Equal(0x89, (byte)'P', (byte)'N', (byte)'G');
        (await api.SignInAsync(person.Email, person.Password)).Has("access_token").Should().BeTrue("nothing changes before the first code");

        var (app, backupCodes) = await person.EnableTwoFactorAsync();
        backupCodes.Should().HaveCount(8);

        var challenge = await api.SignInAsync(person.Email, person.Password);
        challenge.Status.Should().Be(HttpStatusCode.OK);
        challenge.Body.EnumerateObject().Select(field => field.Name).Should().BeEquivalentTo("requires_2fa", "challenge_token", "expires_in");
        challenge.Body.GetProperty("expires_in").GetInt32().Should().Be(300);

        var verified = await api.PostAsync("auth/2fa/verify", new { challenge_token = challenge["challenge_token"], code = app.Code() });
        verified.Body.GetProperty("verified").GetBoolean().Should().BeTrue();
        (await api.GetAsync("auth/profile", verified["access_token"]))["two_factor_enabled"].Should().Be("True");
        (await api.PostAsync("auth/2fa/verify", new { challenge_token = challenge["challenge_token"], code = app.Code(1) }))
            .Error.Should().Be("two_factor.challenge_ended");
    }

    [Fact]
    public async Task A_code_sent_with_the_password_signs_in_directly()
    {
        var person = await api.RegisterAsync();
        var (app, backupCodes) = await person.EnableTwoFactorAsync();

        var code = app.Code();
        (await api.SignInAsync(person.Email, person.Password, code)).Has("access_token").Should().BeTrue();
        (await api.SignInAsync(person.Email, person.Password, code)).Error.Should().Be("two_factor.code_rejected");
        (await api.SignInAsync(person.Email, "wrong password here", app.Code(1))).Error.Should().Be("account.credentials_rejected");
        (await api.SignInAsync(person.Email, person.Password, backupCodes[7])).Has("access_token").Should().BeTrue();
    }

    [Fact]
    public async Task A_challenge_expires_after_five_minutes()
    {
        var person = await api.RegisterAsync();
        var (app, _) = await person.EnableTwoFactorAsync();
        var challenge = await person.ChallengeAsync();
        api.Clock.Advance(TimeSpan.FromMinutes(5));

        (await api.PostAsync("auth/2fa/verify", new { challenge_token = challenge, code = app.Code() })).Error.Should().Be("two_factor.challenge_ended");
    }

    [Fact]
    public async Task Turning_it_on_ends_the_other_sessions_and_tells_the_owner()
    {
        var person = await api.RegisterAsync();
        var other = await person.SignInAgainAsync();

        await person.EnableTwoFactorAsync();

        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);
        (await other.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.MailToAsync(person.Email, "two-factor")).Should().Contain("turned on");
    }

    [Fact]
    public async Task A_stolen_access_token_alone_cannot_set_it_up_or_replace_it()
    {
        var person = await api.RegisterAsync();
        api.Clock.Advance(TimeSpan.FromMinutes(6));

        (await person.PostAsync("auth/2fa/setup")).Error.Should().Be("account.recent_sign_in_needed");
        (await person.PostAsync("auth/2fa/setup", new { password = "not the password" })).Error.Should().Be("account.password_rejected");

        var signedIn = await person.SignInAgainAsync();
        await signedIn.EnableTwoFactorAsync();
        (await signedIn.PostAsync("auth/2fa/setup", new { password = person.Password })).Error.Should().Be("two_factor.already_on");
        (await signedIn.PostAsync("auth/2fa/enable", new { code = "123456" })).Error.Should().Be("two_factor.already_on");
    }

    [Fact]
    public async Task Turning_it_off_takes_both_factors()
    {
        var person = await api.RegisterAsync();
        var (app, _) = await person.EnableTwoFactorAsync();

        (await person.PostAsync("auth/2fa/disable", new { password = "not the password", code = app.Code() })).Error.Should().Be("account.password_rejected");
        (await person.PostAsync("auth/2fa/disable", new { password = person.Password, code = app.WrongCode() })).Error.Should().Be("two_factor.code_rejected");
        (await person.PostAsync("auth/2fa/disable", new { password = person.Password })).Status.Should().Be(HttpStatusCode.BadRequest);
        (await person.PostAsync("auth/2fa/disable", new { password = person.Password, code = app.Code() })).Status.Should().Be(HttpStatusCode.OK);

        (await api.SignInAsync(person.Email, person.Password)).Has("access_token").Should().BeTrue();
    }

    [Fact]
    public async Task Backup_codes_are_counted_replaced_and_never_shown_again()
    {
        var person = await api.RegisterAsync();
        (await person.GetAsync("auth/2fa/backup-codes")).Error.Should().Be("two_factor.not_on");
        var (_, backupCodes) = await person.EnableTwoFactorAsync();
        await person.SignInWithCodeAsync(backupCodes[0]);

        var status = await person.GetAsync("auth/2fa/backup-codes");
        (status["remaining"], status["total"]).Should().Be(("7", "8"));
        backupCodes.Should().OnlyContain(code => !status.Text.Contains(code, StringComparison.Ordinal));

        var renewed = await person.PostAsync("auth/2fa/backup-codes/regenerate", new { password = person.Password });
        renewed.Body.GetProperty("backup_codes").GetArrayLength().Should().Be(8);
        (await person.SignInWithCodeAsync(backupCodes[1])).Error.Should().Be("two_factor.code_rejected");
        (await person.SignInWithCodeAsync(renewed.Body.GetProperty("backup_codes")[0].GetString()!)).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_password_reset_unlocks_the_second_factor_and_does_not_turn_it_off()
    {
        var person = await (await api.RegisterAsync()).VerifyEmailAsync();
        var (app, _) = await person.EnableTwoFactorAsync();
        for (var attempt = 0; attempt < 10; attempt++)
        {
            await api.SignInAsync(person.Email, person.Password, app.WrongCode());
        }

        (await api.SignInAsync(person.Email, person.Password, app.Code())).Error.Should().Be("two_factor.locked");
        await api.PostAsync("auth/forgot-password", new { email = person.Email });
        var token = await api.TokenFromMailAsync(person.Email, "reset");
        await api.PostAsync("auth/reset-password", new { token, new_password = "a brand new phrase" });

        (await api.SignInAsync(person.Email, "a brand new phrase")).Body.GetProperty("requires_2fa").GetBoolean().Should().BeTrue();
        (await api.SignInAsync(person.Email, "a brand new phrase", app.Code())).Has("access_token").Should().BeTrue();
    }
}
