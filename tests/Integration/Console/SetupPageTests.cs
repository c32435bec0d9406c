using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Console;

public sealed class SetupPageTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Looking_at_the_form_does_not_use_the_link_up()
    {
        var link = await api.SetupLinkAsync();
        for (var look = 0; look < 3; look++)
        {
            (await api.GetAsync(link)).Status.Should().Be(HttpStatusCode.OK);
        }

        var email = Intents.NewAddress();
        var page = await api.SubmitSetupAsync(PageIntents.TokenOf(link), email);

        page.Status.Should().Be(HttpStatusCode.OK, page.Text);
        page.Text.Should().Contain("href=\"/swagger\"");
        var signedIn = await api.SignInAsync(email, Intents.GoodPassword);
        signedIn.Body.GetProperty("user").GetProperty("role").GetString().Should().Be("admin");
    }

    [Fact]
    public async Task A_form_sent_twice_at_once_makes_one_administrator()
    {
        var token = await api.SetupTokenAsync();

        var pages = await Task.WhenAll(Enumerable.Range(0, 8).Select(index => api.SubmitSetupAsync(token, $"twin{index}-{Guid.NewGuid():N}@school.example")));

        pages.Where(page => page.Status == HttpStatusCode.OK).Should().ContainSingle();
        pages.Where(page => page.Status != HttpStatusCode.OK).Should().OnlyContain(page => page.Status == HttpStatusCode.Unauthorized);
        (await api.QueryAsync<long>("SELECT count(*) FROM accounts WHERE role = 'admin'")).Should().Be(1);
    }

    [Fact]
    public async Task Fields_at_fault_are_named_and_what_was_typed_stays_except_the_password()
    {
        const string password = "password123";
        var token = await api.SetupTokenAsync();

        var shape = await api.SubmitSetupAsync(token, "not an address", " ", "");
        shape.Status.Should().Be(HttpStatusCode.BadRequest);
        shape.Text.Should().Contain("role=\"alert\"").And.Contain("value=\"not an address\"");
        shape.Text.Should().ContainAll("id=\"full_name-error\"", "id=\"email-error\"", "id=\"password-error\"");
        shape.Text.Should().MatchRegex("(?s)#full_name.*#email.*#password", "they stand in the order of the fields");

        var common = await api.SubmitSetupAsync(token, "noor@school.example", password: password);
        common.Status.Should().Be(HttpStatusCode.BadRequest);
        common.Text.Should().Contain("id=\"password-error\"").And.Contain("value=\"Noor Example\"").And.Contain("value=\"noor@school.example\"");
        common.Text.Should().NotContain(password).And.NotContain("id=\"email-error\"");

        (await api.SubmitSetupAsync(token, Intents.NewAddress())).Status.Should().Be(HttpStatusCode.OK, "refused forms leave the link alone");
    }

    [Fact]
    public async Task An_expired_link_and_a_used_one_say_so_before_anything_is_typed()
    {
        var used = await api.SetupLinkAsync();
        (await api.SubmitSetupAsync(PageIntents.TokenOf(used), Intents.NewAddress())).Status.Should().Be(HttpStatusCode.OK);
        var expired = await api.SetupLinkAsync();
        api.Clock.Advance(TimeSpan.FromMinutes(31));

        foreach (var link in new[] { used, expired })
        {
            foreach (var page in new[] { await api.GetAsync(link), await api.SubmitSetupAsync(PageIntents.TokenOf(link), Intents.NewAddress()) })
            {
                page.Status.Should().Be(HttpStatusCode.Unauthorized);
                page.Text.Should().Contain("expired or was used").And.NotContain("<form");
            }
        }
    }

    [Fact]
    public async Task A_link_that_was_printed_before_another_administrator_came_is_refused()
    {
        var link = await api.SetupLinkAsync();
        await api.RegisterAdministratorAsync();

        var page = await api.GetAsync(link);

        page.Status.Should().Be(HttpStatusCode.Conflict);
        page.Text.Should().Contain("has an administrator already").And.NotContain("<form");
    }

    [Fact]
    public async Task An_address_that_somebody_owns_is_refused_and_the_form_stays()
    {
        var owner = await (await api.RegisterAsync()).VerifyEmailAsync();

        var page = await api.SubmitSetupAsync(await api.SetupTokenAsync(), owner.Email);

        page.Status.Should().Be(HttpStatusCode.Conflict);
        page.Text.Should().Contain("role=\"alert\"").And.Contain("<form").And.Contain($"value=\"{owner.Email}\"");
    }
}
