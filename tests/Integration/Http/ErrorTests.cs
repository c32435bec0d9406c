using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Identity;
using Vtp.Integration.Fixture;
using static System.Net.HttpStatusCode;

namespace Vtp.Integration.Http;

public sealed class ErrorTests(VtpApi api) : IClassFixture<VtpApi>
{
    private const string Login = "/api/v1/auth/login";
    private const string Register = "/api/v1/auth/register";
    private const string Users = "/api/v1/admin/users";

    private const string Malformed = "request.malformed_json";
    private const string BadParameter = "request.invalid";

    private static readonly string Deep = string.Concat(Enumerable.Repeat("{\"a\":", 1000)) + "1" + new string('}', 1000);
    private static readonly string Wide = $"{{{string.Join(',', Enumerable.Range(0, 10_000).Select(number => $"\"field{number}\":1"))}}}";

    public static TheoryData<string, string, byte[], HttpStatusCode, string, string?> BadBodies()
    {
        var bodies = new TheoryData<string, string, byte[], HttpStatusCode, string, string?>();
        Add("cut off", Login, "{\"email\":\"a\"", BadRequest, Malformed);
        Add("empty", Login, "", BadRequest, "request.malformed");
        Add("null", Login, "null", BadRequest, "request.malformed");
        Add("a list", Login, "[]", BadRequest, Malformed);
        Add("two documents", Login, "{} {}", BadRequest, Malformed);
        Add("a number for text", Login, "{\"email\":5}", BadRequest, Malformed, "email");
        Add("an object for text", Login, "{\"email\":{\"a\":1}}", BadRequest, Malformed, "email");
        Add("a number under an old name", Register, "{\"name\":5}", BadRequest, Malformed, "name");
        Add("a number in camelCase", Register, "{\"fullName\":5}", BadRequest, Malformed, "fullName");
        Add("an unknown word", Register, "{\"role\":\"boss\"}", BadRequest, Malformed, "role");
        Add("a word's number", Register, "{\"role\":2}", BadRequest, Malformed, "role");
        Add("a list of words", Register, "{\"role\":\"student, teacher\"}", BadRequest, Malformed, "role");
        Add("a field twice", Login, "{\"email\":\"a\",\"email\":\"b\"}", BadRequest, Malformed, "email");
        Add("deeply nested", Login, Deep, BadRequest, Malformed);
        Add("10,000 fields", Login, Wide, RequestEntityTooLarge, "request.too_large");
        Add("a lone surrogate", Register, "{\"full_name\":\"a\\ud800b\"}", BadRequest, Malformed, "full_name");
        Add("a lone surrogate in a field's name", Register, "{\"\\ud800\":1}", BadRequest, Malformed);
        bodies.Add("not UTF-8", Login, [.. "{\"email\":\""u8, 0xFF, 0xFE, .. "\"}"u8], BadRequest, Malformed, "email");
        Add("a NUL in a name", Register, Registration("Noor\\u0000"), BadRequest, "request.invalid", "full_name");
        Add("missing fields", Login, "{\"email\":\"a@school.example\"}", BadRequest, "request.invalid", "password");
        return bodies;

        void Add(string what, string path, string body, HttpStatusCode status, string error, string? field = null) =>
            bodies.Add(what, path, Encoding.UTF8.GetBytes(body), status, error, field);
    }

    [Theory]
    [MemberData(nameof(BadBodies))]
    public async Task A_bad_body_is_refused_and_the_field_at_fault_named_as_the_client_wrote_it(
        string what, string path, byte[] body, HttpStatusCode status, string error, string? field)
    {
        var answer = await PostAsync(path, body, "application/json");

        answer.ShouldBeProblem(status, error, field);
        what.Should().NotBeEmpty();
    }

    [Theory]
    [InlineData("limit=abc", "limit")]
    [InlineData("limit=", "limit")]
    [InlineData("limit=99999999999", "limit")]
    [InlineData("limit=1&limit=2", "limit")]
    [InlineData("page=1.5", "page")]
    [InlineData("disabled=maybe", "disabled")]
    [InlineData("role=boss", "role")]
    [InlineData("role=2", "role")]
    public async Task A_bad_query_parameter_is_refused_by_its_name(string query, string field)
    {
        var administrator = await api.RegisterAdministratorAsync();

        (await administrator.GetAsync($"{Users}?{query}")).ShouldBeProblem(BadRequest, BadParameter, field);
    }

    [Fact]
    public async Task A_nul_in_a_query_parameter_is_refused_by_its_name_and_broken_encodings_find_nothing()
    {
        var administrator = await api.RegisterAdministratorAsync();

        (await administrator.GetAsync($"{Users}?page=1&search=a%00b")).ShouldBeProblem(BadRequest, "request.invalid_text", "search");
        foreach (var hostile in new[] { "%ED%A0%80", "%FF%FE", "%zz", "%C0%80" })
        {
            var answer = await administrator.GetAsync($"{Users}?search={hostile}");
            answer.Status.Should().Be(OK, answer.Text);
            answer.Body.GetProperty("data").GetArrayLength().Should().Be(0);
        }
    }

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/api/v1/nothing")]
    [InlineData("/api/v1/admin/users/not-an-id")]
    [InlineData("/openapi/v2.json")]
    [InlineData("/swagger/nothing.js")]
    [InlineData("/%FF%FE")]
    public async Task Where_nothing_is_the_answer_is_a_404_problem_also_for_browsers(string path)
    {
        (await api.GetAsync(path)).ShouldBeProblem(NotFound, "route.not_found");
        (await api.SendAsync(HttpMethod.Get, path, headers: ("Accept", "text/html"))).ShouldBeProblem(NotFound, "route.not_found");
    }

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/api/v1/")]
    public async Task Options_of_nothing_are_a_404_problem_too(string path) =>
        (await api.SendAsync(HttpMethod.Options, path)).ShouldBeProblem(NotFound, "route.not_found");

    [Fact]
    public async Task A_wrong_method_is_told_the_right_ones()
    {
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Delete, HttpMethod.Options, HttpMethod.Head, new HttpMethod("BREW") })
        {
            var answer = await api.SendAsync(method, Login);

            answer.Status.Should().Be(MethodNotAllowed);
            answer.ContentHeaders.Allow.Should().Equal("POST");
            if (method != HttpMethod.Head)
            {
                answer.ShouldBeProblem(MethodNotAllowed, "route.method_not_allowed");
            }
        }
    }

    [Fact]
    public async Task Head_is_answered_like_get_without_the_body()
    {
        foreach (var path in new[] { "/health", "/health/live", "/.well-known/jwks.json", "/nothing", "/api/v1/auth/profile" })
        {
            var (get, head) = (await api.GetAsync(path), await api.SendAsync(HttpMethod.Head, path));

            head.Status.Should().Be(get.Status);
            head.Text.Should().BeEmpty();
            head.ContentHeaders.ContentType.Should().Be(get.ContentHeaders.ContentType);
        }
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_413_whether_or_not_it_says_so_before()
    {
        var body = Encoding.UTF8.GetBytes($"{{\"email\":\"{new string('a', 40_000)}\"}}");

        (await PostAsync(Login, body, "application/json")).ShouldBeProblem(RequestEntityTooLarge, "request.too_large");
        (await PostAsync(Login, body, "application/json", chunked: true)).ShouldBeProblem(RequestEntityTooLarge, "request.too_large");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("nonsense")]
    [InlineData("application/json; charset=klingon")]
    [InlineData("application/json; charset=utf-16")]
    public async Task A_body_of_another_type_is_415(string? contentType)
    {
        (await PostAsync(Login, "{}"u8.ToArray(), contentType)).ShouldBeProblem(UnsupportedMediaType, "request.unsupported_media_type");
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=\"UTF-8\"")]
    [InlineData("application/vnd.school+json")]
    public async Task Json_is_read_under_every_name_that_it_has(string contentType)
    {
        (await PostAsync(Login, "{}"u8.ToArray(), contentType)).ShouldBeProblem(BadRequest, "request.invalid");
    }

    [Fact]
    public async Task Who_is_not_signed_in_is_told_how_to_be()
    {
        foreach (var token in new[] { null, "nonsense", "a.b.c" })
        {
            var answer = await api.GetAsync("auth/profile", token);
            answer.ShouldBeProblem(Unauthorized, "auth.required");
            answer.Headers.WwwAuthenticate.ToString().Should().Be("Bearer");
        }
    }

    [Fact]
    public async Task Refusals_of_use_cases_have_the_same_form()
    {
        var (person, administrator) = (await api.RegisterAsync(), await api.RegisterAdministratorAsync());

        (await person.GetAsync(Users)).ShouldBeProblem(Forbidden, "auth.forbidden");
        (await administrator.GetAsync($"{Users}/{Guid.NewGuid()}")).ShouldBeProblem(NotFound, "account.not_found");
        (await person.GetAsync("auth/2fa/backup-codes")).ShouldBeProblem(Conflict, "two_factor.not_on");
        (await api.SignInAsync(person.Email, "not this one")).ShouldBeProblem(Unauthorized, "account.credentials_rejected");
    }

    /// <summary>Kestrel answers these itself; ours is only that the server goes on.</summary>
    [Theory]
    [InlineData("User-Agent: a\u0000b")]
    [InlineData("User-Agent: \u00ff\u00fe")]
    [InlineData("User-Agent: \u00ed\u00a0\u0080")]
    public async Task A_header_that_is_no_text_is_a_400_of_the_web_server(string header)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(api.Url.Host, api.Url.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"GET /health HTTP/1.1\r\nHost: localhost\r\n{header}\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);

        (await reader.ReadLineAsync()).Should().Be("HTTP/1.1 400 Bad Request");
        (await api.GetAsync("/health")).Status.Should().Be(OK);
    }

    private static string Registration(string name) =>
        $$"""{"email":"{{Intents.NewAddress()}}","password":"{{Intents.GoodPassword}}","full_name":"{{name}}"}""";

    private async Task<Answer> PostAsync(string path, byte[] body, string? contentType, bool chunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        if (contentType is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        if (chunked)
        {
            request.Headers.TransferEncodingChunked = true;
        }

        return await api.SendAsync(request);
    }
}

/// <summary>A server with a bug.</summary>
public sealed class BrokenApi : VtpApi
{
    public const string Secret = "SELECT secret FROM accounts at Vtp.Broken in /src/Broken.cs:line 7";

    protected override void Replace(IServiceCollection services) => services.AddSingleton<IQrCodes, Broken>();

    private sealed class Broken : IQrCodes
    {
        public byte[] Draw(string text) => throw new InvalidOperationException(Secret);
    }
}

public sealed class BugTests(BrokenApi api) : IClassFixture<BrokenApi>
{
    [Fact]
    public async Task A_bug_is_a_500_that_tells_its_trace_id_to_the_client_and_itself_to_the_log()
    {
        var person = await api.RegisterAsync();

        var answer = await api.SendAsync(HttpMethod.Post, "auth/2fa/setup", null, person.AccessToken, ("Accept", "text/html"));

        answer.ShouldBeProblem(InternalServerError, "server.failed");
        api.Log.Should().Contain(line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains(BrokenApi.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_trace_id_is_the_clients_own_when_it_sent_one()
    {
        var answer = await api.SendAsync(
            HttpMethod.Get, "/nothing", headers: ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

        answer.ShouldBeProblem(NotFound, "route.not_found");
        answer["trace_id"].Should().Be("0af7651916cd43dd8448eb211c80319c");
    }
}
