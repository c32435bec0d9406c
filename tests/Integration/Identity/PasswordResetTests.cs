using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

public sealed class PasswordResetTests(VtpApi api) : IClassFixture<VtpApi>
{
    private const string NewPassword = "another good phrase";

    [Fact]
    public async Task A_link_sets_a_new_password_and_ends_every_session()
    {
        var person = await api.RegisterAsync();
        var token = await RequestAsync(person);

        var check = await api.PostAsync("auth/verify-reset-token", new { token });
        check.Body.GetProperty("valid").GetBoolean().Should().BeTrue();
        check["email"].Should().Be(person.Email);
        (await ResetAsync(token)).Status.Should().Be(HttpStatusCode.OK);

        (await api.SignInAsync(person.Email, person.Password)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.SignInAsync(person.Email, NewPassword)).Status.Should().Be(HttpStatusCode.OK);
        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.PostAsync("auth/refresh", new { refresh_token = person.RefreshToken })).Status.Should().Be(HttpStatusCode.Unauthorized);
        await api.MailToAsync(person.Email, "password");
    }

    [Fact]
    public async Task A_token_works_once_also_when_it_is_sent_ten_times_at_once()
    {
        var token = await RequestAsync(await api.RegisterAsync());

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(index => ResetAsync(token, $"{NewPassword} {index}")));

        answers.Count(answer => answer.Status == HttpStatusCode.OK).Should().Be(1);
        answers.Where(answer => answer.Status != HttpStatusCode.OK).Should().OnlyContain(answer => answer.Status == HttpStatusCode.Unauthorized);
        (await api.PostAsync("auth/verify-reset-token", new { token })).Error.Should().Be("password_reset.token_rejected");
    }

    [Fact]
    public async Task A_token_dies_with_a_newer_one()
    {
        var person = await api.RegisterAsync();
        var older = await RequestAsync(person);
        var newer = await RequestAsync(person, atLeast: 2);

        newer.Should().NotBe(older);
        (await ResetAsync(older)).Error.Should().Be("password_reset.token_rejected");
        (await ResetAsync(newer)).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_token_dies_with_a_password_change()
    {
        var person = await api.RegisterAsync();
        var token = await RequestAsync(person);

        (await person.PostAsync("auth/change-password", new { current_password = person.Password, new_password = NewPassword }))
            .Status.Should().Be(HttpStatusCode.OK);

        (await ResetAsync(token, "yet another phrase")).Error.Should().Be("password_reset.token_rejected");
    }

    [Fact]
    public async Task A_token_dies_after_a_day()
    {
        var token = await RequestAsync(await api.RegisterAsync());
        api.Clock.Advance(TimeSpan.FromHours(24));

        (await ResetAsync(token)).Error.Should().Be("password_reset.token_rejected");
    }

    [Fact]
    public async Task A_weak_password_does_not_use_the_link_up()
    {
        var token = await RequestAsync(await api.RegisterAsync());

        var weak = await ResetAsync(token, "password");
        weak.Status.Should().Be(HttpStatusCode.BadRequest);
        weak.Body.GetProperty("errors").GetProperty("new_password").GetArrayLength().Should().Be(1);

        (await ResetAsync(token)).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Only_hashes_of_tokens_are_stored_with_where_they_were_asked_for()
    {
        var person = await api.RegisterAsync();
        var token = await RequestAsync(person);

        var row = await api.QueryAsync<string>(
            "SELECT t::text FROM password_reset_tokens t WHERE account_id = $1 AND ip_address IS NOT NULL", person.UserId);
        row.Should().NotBeNullOrEmpty().And.NotContain(token);
    }

    [Fact]
    public async Task A_reset_takes_an_unverified_claim_from_whoever_registered_it()
    {
        // Somebody registers a stranger's address and waits for them to come.
        var squatter = await api.RegisterAsync(password: "the squatter knows this");
        await squatter.EnableTwoFactorAsync();
        var token = await RequestAsync(squatter);

        (await ResetAsync(token)).Status.Should().Be(HttpStatusCode.OK);

        (await squatter.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized);
        var owner = await api.SignInAsync(squatter.Email, NewPassword);
        owner.Body.GetProperty("requires_2fa").GetBoolean().Should().BeFalse();
    }

    private async Task<string> RequestAsync(Person person, int atLeast = 1)
    {
        (await api.PostAsync("auth/forgot-password", new { email = person.Email })).Status.Should().Be(HttpStatusCode.OK);
        return await api.TokenFromMailAsync(person.Email, "reset", atLeast);
    }

    private Task<Answer> ResetAsync(string token, string password = NewPassword) =>
        api.PostAsync("auth/reset-password", new { token, new_password = password });
}
