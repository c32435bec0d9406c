using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

public sealed class AccountTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Registering_answers_the_account_and_tokens_that_work()
    {
        var email = Intents.NewAddress();
        var answer = await api.PostAsync(
            "auth/register", new { email = email.ToUpperInvariant(), password = Intents.GoodPassword, full_name = " Noor ", role = "teacher", phone = "+963 11 123" });

        answer.Status.Should().Be(HttpStatusCode.Created);
        (answer["email"], answer["full_name"], answer["role"]).Should().Be((email, "Noor", "teacher"));
        answer.Body.GetProperty("user").GetProperty("user_id").GetString().Should().Be(answer["user_id"]);
        answer.Body.GetProperty("expires_in").GetInt32().Should().Be(3600);
        var profile = await api.GetAsync("auth/profile", answer["access_token"]);
        (profile["email"], profile["phone"], profile["email_verified"]).Should().Be((email, "+963 11 123", "False"));
        (await api.PostAsync("auth/refresh", new { refresh_token = answer["refresh_token"] })).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Nobody_registers_as_an_administrator()
    {
        var body = new { email = Intents.NewAddress(), password = Intents.GoodPassword, full_name = "Mallory", role = "admin" };
        (await api.PostAsync("auth/register", body)).Status.Should().Be(HttpStatusCode.Forbidden);
        (await api.PostAsync("auth/register", body, (await api.RegisterAsync(role: "teacher")).AccessToken)).Status.Should().Be(HttpStatusCode.Forbidden);
        (await api.PostAsync("auth/register", body, (await api.RegisterAdministratorAsync()).AccessToken)).Status.Should().Be(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Roles_and_ids_smuggled_into_bodies_change_nothing()
    {
        var (person, victim) = (await api.RegisterAsync(), await api.RegisterAsync());
        var smuggled = new
        {
            id = victim.UserId,
            user_id = victim.UserId,
            account_id = victim.UserId,
            role = "admin",
            is_admin = true,
            email_verified = true,
            full_name = "Changed",
            password = person.Password,
        };

        (await api.SendAsync(HttpMethod.Put, "auth/profile", smuggled, person.AccessToken)).Status.Should().Be(HttpStatusCode.OK);
        (await person.PostAsync("auth/2fa/setup", smuggled)).Status.Should().Be(HttpStatusCode.OK);

        (await victim.GetAsync("auth/profile"))["full_name"].Should().Be("Noor Example");
        var profile = await person.GetAsync("auth/profile");
        (profile["full_name"], profile["role"], profile["email_verified"]).Should().Be(("Changed", "student", "False"));
        (await api.QueryAsync<long>("SELECT count(*) FROM second_factors WHERE account_id = $1", victim.UserId)).Should().Be(0);
    }

    [Fact]
    public async Task A_bad_registration_names_every_field_at_fault()
    {
        var answer = await api.PostAsync("auth/register", new { email = "nobody", phone = "call me", role = "student" });

        answer.Status.Should().Be(HttpStatusCode.BadRequest);
        answer.Error.Should().Be("request.invalid");
        answer.Body.GetProperty("errors").EnumerateObject().Select(field => field.Name).Should().BeEquivalentTo("email", "password", "full_name", "phone");
    }

    [Fact]
    public async Task A_mailed_link_verifies_the_address_once()
    {
        var person = await api.RegisterAsync();
        var token = await api.TokenFromMailAsync(person.Email, "verify");

        (await api.PostAsync("auth/verify-email", new { token })).Status.Should().Be(HttpStatusCode.OK);
        (await person.GetAsync("auth/profile"))["email_verified"].Should().Be("True");
        (await api.PostAsync("auth/verify-email", new { token })).Error.Should().Be("email_verification.token_rejected");
    }

    [Fact]
    public async Task Of_several_who_claim_an_address_one_owns_it_and_each_signs_in_with_their_own_password()
    {
        var first = await api.RegisterAsync();
        await api.MailToAsync(first.Email, "verify");
        var second = await api.RegisterAsync(first.Email, "a second good phrase");
        var tokenOfSecond = await api.TokenFromMailAsync(first.Email, "verify", atLeast: 2);

        (await api.PostAsync("auth/verify-email", new { token = tokenOfSecond })).Status.Should().Be(HttpStatusCode.OK);

        (await first.SignInAgainAsync()).UserId.Should().Be(first.UserId);
        (await (await first.SignInAgainAsync()).GetAsync("auth/profile"))["user_id"].Should().Be(first.UserId.ToString());
        (await (await second.SignInAgainAsync()).GetAsync("auth/profile"))["user_id"].Should().Be(second.UserId.ToString());
        (await second.GetAsync("auth/profile"))["email_verified"].Should().Be("True");
        (await first.GetAsync("auth/profile"))["email_verified"].Should().Be("False");
    }

    [Fact]
    public async Task A_new_password_ends_the_other_sessions_and_not_this_one()
    {
        var person = await api.RegisterAsync();
        var other = await person.SignInAgainAsync();

        (await person.PostAsync("auth/change-password", new { current_password = "wrong wrong wrong", new_password = "quite another phrase" }))
            .Error.Should().Be("account.password_rejected");
        (await person.PostAsync("auth/change-password", new { current_password = person.Password, new_password = person.Password }))
            .Status.Should().Be(HttpStatusCode.BadRequest);
        (await person.PostAsync("auth/change-password", new { current_password = person.Password, new_password = "quite another phrase" }))
            .Status.Should().Be(HttpStatusCode.OK);

        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);
        (await other.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.SignInAsync(person.Email, "quite another phrase")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_happened_to_an_account_is_in_its_security_events_newest_first()
    {
        var person = await (await api.RegisterAsync()).VerifyEmailAsync();
        await api.SignInAsync(person.Email, "not the password");
        await person.SignInAgainAsync();

        var events = await person.GetAsync("auth/security-events");

        events.Body.GetProperty("data").EnumerateArray().Select(entry => entry.GetProperty("type").GetString())
            .Should().Equal("signed_in", "sign_in_failed", "email_verified", "signed_in", "registered");
        events.Body.GetProperty("data")[0].GetProperty("ip_address").GetString().Should().Be("127.0.0.1");
    }
}
