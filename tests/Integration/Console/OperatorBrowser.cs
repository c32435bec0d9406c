using System.Net;
using System.Text.RegularExpressions;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Console;

/// <summary>A browser as far as HTTP goes: keeps cookies, follows redirects, and sends the form of the page that it shows.</summary>
internal sealed class OperatorBrowser : IDisposable
{
    public const string UserAgent = "OperatorBrowser";

    private readonly HttpClientHandler _handler = new() { CookieContainer = new CookieContainer() };
    private readonly HttpClient _http;
    private string _page = "";

    public OperatorBrowser(VtpApi api)
    {
        _http = new HttpClient(_handler) { BaseAddress = api.Url };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd(UserAgent);
    }

    /// <summary>Where the last answer came from, after all redirects.</summary>
    public string At { get; private set; } = "";

    public IReadOnlyList<Cookie> Cookies => [.. _handler.CookieContainer.GetAllCookies().Cast<Cookie>()];

    public static async Task<OperatorBrowser> SignedInAsync(VtpApi api, Person person)
    {
        var browser = new OperatorBrowser(api);
        await browser.GetAsync("/console/sign-in");
        var page = await browser.PostAsync("/console/sign-in", ("email", person.Email), ("password", person.Password));
        page.Status.Should().Be(HttpStatusCode.OK, page.Text);
        browser.At.Should().Be("/console");
        return browser;
    }

    public Task<Answer> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    /// <summary>Sends these fields, and the hidden ones of the page that is shown.</summary>
    public Task<Answer> PostAsync(string path, params (string Name, string Value)[] fields) =>
        PostAsync(path, Hidden(_page), fields);

    public Task<Answer> PostAsync(string path, IReadOnlyDictionary<string, string> hidden, params (string Name, string Value)[] fields) => SendAsync(new HttpRequestMessage(HttpMethod.Post, path)
    {
        Content = new FormUrlEncodedContent(hidden.Concat(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)))),
    });

    public static IReadOnlyDictionary<string, string> Hidden(string page) =>
        Regex.Matches(page, "<input type=\"hidden\" name=\"(?<name>[^\"]*)\" value=\"(?<value>[^\"]*)\"", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
            .ToDictionary(match => match.Groups["name"].Value, match => WebUtility.HtmlDecode(match.Groups["value"].Value), StringComparer.Ordinal);

    public void Keep(Cookie cookie) => _handler.CookieContainer.Add(cookie);

    public void Dispose() => _http.Dispose();

    private async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            using var response = await _http.SendAsync(request);
            _page = await response.Content.ReadAsStringAsync();
            At = response.RequestMessage!.RequestUri!.PathAndQuery;
            return new Answer(response.StatusCode, default, _page, response.Headers, response.Content.Headers);
        }
    }
}
