using System.Net;
using Microsoft.Playwright;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Console;

/// <summary>The ways that people go, in a browser that runs no script of ours because there is none.</summary>
public sealed class BrowserTests(BrowserApi api) : IClassFixture<BrowserApi>
{
    private const string NewPassword = "quiet river stone";

    [Fact]
    public async Task The_printed_link_leads_to_an_administrator_who_can_sign_in()
    {
        var email = Intents.NewAddress();
        await using var visitor = await api.VisitorAsync();
        await visitor.OpenAsync(await api.SetupLinkAsync());

        await visitor.FillAsync("Full name", "Noor Example");
        await visitor.FillAsync("Email", email);
        await visitor.FillAsync("Password", "password123");
        (await visitor.PressAsync("Create administrator")).Status.Should().Be(400);

        // What was wrong is announced, has the focus, and leads to its field; what was right is still there.
        var alert = visitor.Page.GetByRole(AriaRole.Alert);
        await Assertions.Expect(alert).ToBeFocusedAsync();
        await alert.GetByRole(AriaRole.Link).ClickAsync();
        await Assertions.Expect(visitor.Page.GetByLabel("Password", new() { Exact = true })).ToBeFocusedAsync();
        (await visitor.Page.GetByLabel("Email", new() { Exact = true }).InputValueAsync()).Should().Be(email);

        await visitor.FillAsync("Password", Intents.GoodPassword);
        (await visitor.PressAsync("Create administrator")).Status.Should().Be(200);

        (await visitor.HeadingAsync()).Should().Be("VTP is ready");
        new Uri(visitor.Page.Url).Query.Should().BeEmpty("the token has left the address bar");
        (await api.SignInAsync(email, Intents.GoodPassword)).Body.GetProperty("user").GetProperty("role").GetString().Should().Be("admin");
        visitor.Complaints.Should().BeEmpty();

        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Try the API" }).ClickAsync();
        await Assertions.Expect(visitor.Page).ToHaveTitleAsync("VTP API");
    }

    [Fact]
    public async Task A_mailed_link_leads_to_a_new_password()
    {
        var person = await api.RegisterAsync();
        await using var visitor = await api.VisitorAsync(Visitor.Phone);
        await visitor.OpenAsync("/forgot-password");
        await visitor.FillAsync("Email", person.Email);
        (await visitor.PressAsync("Send the link")).Status.Should().Be(200);

        var token = await api.TokenFromMailAsync(person.Email, "Reset your password");
        await visitor.OpenAsync($"/reset-password?token={token}");
        (await visitor.Page.GetByLabel("Account").InputValueAsync()).Should().Be(person.Email);
        await visitor.FillAsync("New password", NewPassword);
        (await visitor.PressAsync("Set the password")).Status.Should().Be(200);

        (await api.SignInAsync(person.Email, person.Password)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.SignInAsync(person.Email, NewPassword)).Status.Should().Be(HttpStatusCode.OK);

        (await visitor.OpenAsync($"/reset-password?token={token}")).Status.Should().Be(401);
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Send a new link" }).ClickAsync();
        (await visitor.HeadingAsync()).Should().Be("Forgot your password?");
        visitor.Complaints.Should().BeEmpty();
    }

    [Fact]
    public async Task A_mailed_link_confirms_an_address_at_the_press_of_a_button_and_not_before()
    {
        var person = await api.RegisterAsync();
        await using var visitor = await api.VisitorAsync(Visitor.Phone);
        await visitor.OpenAsync($"/verify-email?token={await api.TokenFromMailAsync(person.Email, "Confirm")}");
        await visitor.Page.ReloadAsync();
        (await person.HasVerifiedEmailAsync()).Should().BeFalse();

        (await visitor.PressAsync("Confirm my address")).Status.Should().Be(200);

        (await visitor.HeadingAsync()).Should().Be("Your address is confirmed");
        (await person.HasVerifiedEmailAsync()).Should().BeTrue();
        visitor.Complaints.Should().BeEmpty();
    }

    [Fact]
    public async Task Every_form_can_be_filled_in_and_sent_from_the_keyboard_alone()
    {
        var email = Intents.NewAddress();
        await using var visitor = await api.VisitorAsync();
        await visitor.OpenAsync(await api.SetupLinkAsync());

        foreach (var text in new[] { "Noor Example", email, Intents.GoodPassword })
        {
            await visitor.Page.Keyboard.PressAsync("Tab");
            await visitor.Page.Keyboard.TypeAsync(text);
        }

        await visitor.Page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(visitor.Page).ToHaveTitleAsync("VTP is ready · VTP");
        (await api.SignInAsync(email, Intents.GoodPassword)).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Swagger_calls_the_api_with_a_token_that_was_given_to_it()
    {
        var person = await api.RegisterAsync();
        await using var visitor = await api.VisitorAsync();
        await visitor.OpenAsync("/swagger/index.html");

        await visitor.Page.Locator(".auth-wrapper > .authorize, .auth-wrapper > .btn.authorize").First.ClickAsync();
        var dialog = visitor.Page.Locator(".dialog-ux");
        await dialog.Locator("#auth-bearer-value").FillAsync(person.AccessToken);
        await dialog.Locator("button.authorize").First.ClickAsync();
        await dialog.Locator("button.btn-done").First.ClickAsync();

        // Swagger draws what is seen, and what is near.
        await VtpApi.UntilAsync(
            async () =>
            {
                await visitor.Page.Mouse.WheelAsync(0, 400);
                return await visitor.Page.Locator("#operations-tag-Accounts").CountAsync() > 0;
            },
            "the part about accounts");
        var profile = visitor.Page.Locator(".opblock-get", new() { HasText = "/api/v1/auth/profile" }).First;
        await profile.Locator(".opblock-summary-control").ClickAsync();
        await profile.Locator("button.try-out__btn").ClickAsync();
        await profile.Locator("button.execute").ClickAsync();

        var live = profile.Locator(".live-responses-table");
        await Assertions.Expect(live.Locator(".response-col_status").Last).ToHaveTextAsync("200");
        await Assertions.Expect(live).ToContainTextAsync(person.Email);
        await visitor.PictureAsync("swagger", whole: false);
        visitor.Complaints.Should().BeEmpty();
    }
}
