using Microsoft.Playwright;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Console;

/// <summary>What can be measured of how the pages look; the pictures it takes are for people.</summary>
public sealed class LookTests(BrowserApi api) : IClassFixture<BrowserApi>
{
    [Theory]
    [InlineData(Visitor.Phone, ColorScheme.Light)]
    [InlineData(Visitor.Phone, ColorScheme.Dark)]
    [InlineData(Visitor.Desktop, ColorScheme.Light)]
    [InlineData(Visitor.Desktop, ColorScheme.Dark)]
    public async Task Every_page_fits_is_legible_and_can_be_hit_with_a_thumb(int width, ColorScheme scheme)
    {
        var person = await api.RegisterAsync();
        var (setup, reset) = (await api.SetupLinkAsync(), await person.ResetTokenAsync());
        var verify = await api.TokenFromMailAsync(person.Email, "Confirm");
        await using var visitor = await api.VisitorAsync(width, scheme);

        await visitor.OpenAsync(setup);
        await LookAsync("setup");
        await visitor.FillAsync("Email", "noor at school");
        await visitor.PressAsync("Create administrator");
        await LookAsync("setup-refused");
        await visitor.FillAsync("Full name", "Noor Example");
        await visitor.FillAsync("Email", Intents.NewAddress());
        await visitor.FillAsync("Password", Intents.GoodPassword);
        await visitor.PressAsync("Create administrator");
        await LookAsync("setup-done");
        await visitor.OpenAsync(setup);
        await LookAsync("setup-dead");

        await visitor.OpenAsync($"/verify-email?token={verify}");
        await LookAsync("verify-email");
        await visitor.PressAsync("Confirm my address");
        await LookAsync("verify-email-done");

        await visitor.OpenAsync("/forgot-password");
        await LookAsync("forgot-password");
        await visitor.FillAsync("Email", person.Email);
        await visitor.PressAsync("Send the link");
        await LookAsync("forgot-password-done");

        await visitor.OpenAsync($"/reset-password?token={reset}");
        await LookAsync("reset-password");
        await visitor.OpenAsync("/reset-password?token=unknown");
        await LookAsync("reset-password-dead");
        await visitor.OpenAsync("/resend-verification");
        await LookAsync("resend-verification");

        var school = await person.FoundAsync("A school with quite a long name, as schools have");
        var invited = Intents.NewAddress();
        await school.InviteAsync(invited);
        await visitor.OpenAsync($"/accept-invitation?token={await api.TokenFromMailAsync(invited, "invited")}");
        await LookAsync("join");
        await visitor.FillAsync("Choose a password", Intents.GoodPassword);
        await visitor.PressAsync("Join");
        await LookAsync("join-done");

        visitor.Complaints.Should().BeEmpty();

        async Task LookAsync(string name)
        {
            await visitor.PictureAsync($"{name}-{width}-{scheme}".ToLowerInvariant());
            await visitor.ShouldLookWellAsync(name);
        }
    }
}
