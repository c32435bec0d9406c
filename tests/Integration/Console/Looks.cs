using System.Text.Json;

namespace Vtp.Integration.Console;

/// <summary>What can be measured of how a page looks.</summary>
internal static class Looks
{
    // WCAG 2.2: 1.4.3 asks for 4.5, and 2.5.8 for 24 px; Apple and Google ask for 44 px and more.
    private const double LeastContrast = 4.5;
    private const int LeastTarget = 44;

    public static async Task ShouldLookWellAsync(this Visitor visitor, string name)
    {
        var look = (await visitor.Page.EvaluateAsync<JsonElement>(Measure)).Deserialize<Look>(JsonSerializerOptions.Web)!;
        look.Overflow.Should().BeLessThanOrEqualTo(0, $"{name} does not scroll sideways");
        look.Texts.Should().BePositive();
        look.Contrast.Should().BeGreaterThanOrEqualTo(LeastContrast, $"{name}: {look.Faintest}");
        look.Target.Should().BeGreaterThanOrEqualTo(LeastTarget, $"{name} is used with thumbs");
        look.Font.Should().BeGreaterThanOrEqualTo(14, $"{name} is read on phones");
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
                .filter(e => e.checkVisibility() && (e.matches('input:not([type=hidden])') || [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())));
            const faintest = texts.reduce((a, b) => contrast(a) <= contrast(b) ? a : b);
            const controls = [...document.querySelectorAll('button, input:not([type=hidden]), .button, .doors a, nav a, summary')].filter(e => e.checkVisibility());
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
