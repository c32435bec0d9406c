using System.Net;
using Vtp.Integration.Console;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>Joining by the mail alone, as a person does who has never heard of an API.</summary>
public sealed class JoinTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Who_has_no_account_chooses_a_password_on_the_page_and_is_in()
    {
        var (school, email) = (await api.FoundSchoolAsync(), Intents.NewAddress());
        await school.InviteAsync(email, "Viewer");
        var token = await api.TokenFromMailAsync(email, "invited");

        var page = await api.GetAsync($"/accept-invitation?token={token}");
        page.Text.Should().ContainAll("Join Evening School", "Viewer", email, "Choose a password", "value=\"Invited Person\"");
        var weak = await api.PostFormAsync("/accept-invitation", ("token", token), ("full_name", "Noor"), ("password", "password"));
        weak.Status.Should().Be(HttpStatusCode.BadRequest);
        weak.Text.Should().Contain("id=\"password-error\"").And.Contain("value=\"Noor\"");
        var joined = await api.PostFormAsync("/accept-invitation", ("token", token), ("full_name", "Noor"), ("password", Intents.GoodPassword));

        joined.Status.Should().Be(HttpStatusCode.OK, joined.Text);
        joined.Text.Should().Contain("You are a member of Evening School");
        var signedIn = await api.SignInAsync(email, Intents.GoodPassword);
        signedIn.Body.GetProperty("user").GetProperty("email_verified").GetBoolean().Should().BeTrue();
        (await api.GetAsync(school.Path, signedIn["access_token"]))["role"].Should().Be("Viewer");
        (await api.GetAsync($"/accept-invitation?token={token}")).Text.Should().Contain("This link does not work");
    }

    [Fact]
    public async Task Who_has_an_account_gives_its_password_and_no_other_opens_it()
    {
        var school = await api.FoundSchoolAsync();
        var person = await (await api.RegisterAsync()).VerifyEmailAsync();
        await school.InviteAsync(person.Email);
        var token = await api.TokenFromMailAsync(person.Email, "invited");

        (await api.GetAsync($"/accept-invitation?token={token}")).Text.Should().Contain("The password of your account").And.NotContain("Choose a password");
        (await api.PostAsync("invitations/join", new { token, password = "not their password" })).ShouldBeProblem(HttpStatusCode.Unauthorized, "account.password_rejected");
        (await api.PostAsync("invitations/join", new { token, password = person.Password })).Status.Should().Be(HttpStatusCode.OK);
        (await person.GetAsync(school.Path)).Status.Should().Be(HttpStatusCode.OK);
        (await api.QueryAsync<long>("SELECT count(*) FROM accounts WHERE email = $1", person.Email)).Should().Be(1);
    }

    [Fact]
    public async Task A_claim_that_was_never_verified_does_not_stand_in_the_way_of_the_mailboxs_reader()
    {
        var school = await api.FoundSchoolAsync();
        var stranger = await api.RegisterAsync();
        await school.InviteAsync(stranger.Email);
        var token = await api.TokenFromMailAsync(stranger.Email, "invited");

        (await api.PostAsync("invitations/join", new { token, password = "the readers own choice" })).Status.Should().Be(HttpStatusCode.OK);

        (await stranger.GetAsync(school.Path)).Status.Should().Be(HttpStatusCode.NotFound, "who claimed the address first did not read its mail");
        (await api.SignInAsync(stranger.Email, "the readers own choice")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_expired_and_an_unknown_invitation_say_so()
    {
        var (school, email) = (await api.FoundSchoolAsync(), Intents.NewAddress());
        await school.InviteAsync(email);
        var token = await api.TokenFromMailAsync(email, "invited");
        await api.QueryAsync<int>("UPDATE invitations SET expires_at = now() WHERE email = $1", email);

        (await api.PostAsync("invitations/verify", new { token })).ShouldBeProblem(HttpStatusCode.Conflict, "invitation.expired");
        (await api.PostAsync("invitations/join", new { token, password = Intents.GoodPassword })).ShouldBeProblem(HttpStatusCode.Conflict, "invitation.expired");
        (await api.PostAsync("invitations/verify", new { token = "unknown" })).ShouldBeProblem(HttpStatusCode.NotFound, "invitation.token_rejected");
        (await api.QueryAsync<long>("SELECT count(*) FROM accounts WHERE email = $1", email)).Should().Be(0);
    }
}
