using System.Collections.Concurrent;
using Microsoft.Playwright;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Console;

/// <summary>A real server, and Debian's Chromium to look at it. Without Chromium the tests fail.</summary>
public sealed class BrowserApi : VtpApi, IAsyncLifetime
{
    private static readonly string[] Candidates = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    async Task IAsyncLifetime.InitializeAsync()
    {
        await InitializeAsync();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Candidates.FirstOrDefault(File.Exists)
                ?? throw new InvalidOperationException("Chromium is missing: apt-get install chromium"),
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",

                // Two pages of one machine find each other, also where there is no network.
                "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns",
            ],
        });
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        await DisposeAsync();
    }

    /// <summary>A person with a device of their own: no cookies or storage of another test.</summary>
    internal async Task<Visitor> VisitorAsync(int width = Visitor.Desktop, ColorScheme scheme = ColorScheme.Light) =>
        new(this, await _browser!.NewPageAsync(new BrowserNewPageOptions
        {
            BaseURL = Url.ToString(),
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = width == Visitor.Phone ? 844 : 800 },
        }));
}

/// <summary>Somebody who looks at pages, and notices what the browser complains of.</summary>
internal sealed class Visitor : IAsyncDisposable
{
    public const int Phone = 390;
    public const int Desktop = 1280;

    private readonly BrowserApi _api;
    private readonly ConcurrentQueue<string> _complaints = new();

    public Visitor(BrowserApi api, IPage page)
    {
        (_api, Page) = (api, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                _complaints.Enqueue(message.Text);
            }
        };
        page.PageError += (_, error) => _complaints.Enqueue(error);
        page.RequestFailed += (_, request) =>
        {
            // Who goes to another page ends what this one was loading.
            if (request.Failure != "net::ERR_ABORTED")
            {
                _complaints.Enqueue($"{request.Url} {request.Failure}");
            }
        };
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(api.Url.ToString(), StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
            {
                _complaints.Enqueue($"asked {request.Url}, which is not this server");
            }
        };
    }

    public IPage Page { get; }

    /// <summary>What the browser complained of, except that a page which says no has the status of a no.</summary>
    public IEnumerable<string> Complaints => _complaints.Where(text => !text.StartsWith("Failed to load resource: the server responded with a status of 4", StringComparison.Ordinal));

    /// <summary>Opens a link that was made for the public address.</summary>
    public async Task<IResponse> OpenAsync(string link) =>
        await Page.GotoAsync(Uri.TryCreate(link, UriKind.Absolute, out var absolute) && !absolute.IsFile ? absolute.PathAndQuery : link)
        ?? throw new InvalidOperationException($"{link} did not answer.");

    public Task FillAsync(string label, string value) => Page.GetByLabel(label, new() { Exact = true }).FillAsync(value);

    /// <summary>Presses a form's button, and waits for the page that answers it.</summary>
    public Task<IResponse> PressAsync(string button) => Page.RunAndWaitForResponseAsync(
        () => Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync(),
        response => response.Request is { Method: "POST", IsNavigationRequest: true });

    public Task<string> HeadingAsync() => Page.GetByRole(AriaRole.Heading, new() { Level = 1 }).InnerTextAsync();

    /// <summary>Pictures for people: artifacts/screenshots. No test reads them.</summary>
    public Task PictureAsync(string name, bool whole = true) =>
        Page.ScreenshotAsync(new() { Path = Path.Combine(Pictures(), $"{name}.png"), FullPage = whole });

    public ValueTask DisposeAsync() => new(Page.Context.CloseAsync());

    private static string Pictures()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder.Name != "artifacts")
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside artifacts.");
        }

        return Path.Combine(folder.FullName, "screenshots");
    }
}
