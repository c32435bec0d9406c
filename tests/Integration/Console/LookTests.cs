using System.Text.Json;
using Microsoft.Playwright;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Console;

/// <summary>What can be measured of how the pages look; the pictures it takes are for people.</summary>
public sealed class LookTests(BrowserApi api) : IClassFixture<BrowserApi>
{
    // WCAG 2.2: 1.4.3 asks for 4.5, and 2.5.8 for 24 px; Apple and Google ask for 44 px and more.
    private const double LeastContrast = 4.5;
    private const int LeastTarget = 44;

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
            var look = (await visitor.Page.EvaluateAsync<JsonElement>(Measure)).Deserialize<Look>(JsonSerializerOptions.Web)!;
            look.Overflow.Should().BeLessThanOrEqualTo(0, $"{name} does not scroll sideways");
            look.Texts.Should().BePositive();
            look.Contrast.Should().BeGreaterThanOrEqualTo(LeastContrast, $"{name}: {look.Faintest}");
            look.Target.Should().BeGreaterThanOrEqualTo(LeastTarget, $"{name} is used with thumbs");
            look.Font.Should().BeGreaterThanOrEqualTo(14, $"{name} is read on phones");
        }
    }

    /// <param name="Overflow">Pixels by which the page is wider than the window.</param>
    /// <param name="Contrast">Of the faintest text, by WCAG's formula.</param>
    /// <param name="Target">Height of the smallest control that is not a link within a sentence.</param>
    private sealed record Look(int Overflow, int Texts, double Contrast, string Faintest, double Target, double Font);

    private const string Measure =
        """
        () => {
            const channels = color => { const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
            const luminance = rgb => {
                const [r, g, b] = rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ground = element => {
                for (let at = element; at; at = at.parentElement) {
                    const { rgb, a } = channels(getComputedStyle(at).backgroundColor);
                    if (a === 1) return rgb;
                }
                return [255, 255, 255];
            };
            const contrast = element => {
                const [light, dark] = [luminance(channels(getComputedStyle(element).color).rgb), luminance(ground(element))].sort((a, b) => b - a);
                return (light + 0.05) / (dark + 0.05);
            };
            const texts = [...document.body.querySelectorAll('*')]
                .filter(e => e.matches('input:not([type=hidden])') || [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
            const faintest = texts.reduce((a, b) => contrast(a) <= contrast(b) ? a : b);
            const controls = [...document.querySelectorAll('button, input:not([type=hidden]), .button, .doors a')];
            return {
                overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
                texts: texts.length,
                contrast: contrast(faintest),
                faintest: faintest.outerHTML,
                target: Math.min(...controls.map(e => e.getBoundingClientRect().height), 1000),
                font: Math.min(...texts.map(e => parseFloat(getComputedStyle(e).fontSize))),
            };
        }
        """;
}
