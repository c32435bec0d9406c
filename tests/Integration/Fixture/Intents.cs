using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Vtp.Domain.Identity.TwoFactor;

namespace Vtp.Integration.Fixture;

/// <summary>An answer as a client sees it.</summary>
public sealed record Answer(HttpStatusCode Status, JsonElement Body, string Text, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders)
{
    public string this[string field] => Body.GetProperty(field).ToString();

    public string Error => this["error"];

    public bool Has(string field) => Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(field, out _);
}

/// <summary>Somebody with an account and an open session.</summary>
public sealed record Person(VtpApi Api, string Email, string Password, string AccessToken, string RefreshToken, Guid UserId)
{
    public Task<Answer> GetAsync(string path) => Api.GetAsync(path, AccessToken);

    public Task<Answer> PostAsync(string path, object? body = null) => Api.PostAsync(path, body, AccessToken);
}

/// <summary>What people do with the server, in their words.</summary>
public static class Intents
{
    public const string GoodPassword = "correct horse battery";

    private static int s_people;

    public static Task<Answer> GetAsync(this VtpApi api, string path, string? token = null) => api.SendAsync(HttpMethod.Get, path, null, token);

    public static Task<Answer> PostAsync(this VtpApi api, string path, object? body = null, string? token = null) =>
        api.SendAsync(HttpMethod.Post, path, body, token);

    public static async Task<Answer> SendAsync(
        this VtpApi api, HttpMethod method, string path, object? body = null, string? token = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path.StartsWith('/') ? path : $"/api/v1/{path}");
        if (body is not null)
        {
            request.Content = new StringContent(body as string ?? JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        }

        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await api.SendAsync(request);
    }

    public static async Task<Answer> SendAsync(this VtpApi api, HttpRequestMessage request)
    {
        using var response = await api.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType is "application/json" or "application/problem+json" && text.Length > 0;
        var json = isJson ? JsonSerializer.Deserialize<JsonElement>(text) : default;
        return new Answer(response.StatusCode, json, text, response.Headers, response.Content.Headers);
    }

    public static string NewAddress() => $"person{Interlocked.Increment(ref s_people).ToString(CultureInfo.InvariantCulture)}-{Guid.NewGuid():N}@school.example";

    public static async Task<Person> RegisterAsync(this VtpApi api, string? email = null, string password = GoodPassword, string role = "student")
    {
        email ??= NewAddress();
        var answer = await api.PostAsync("auth/register", new { email, password, full_name = "Noor Example", role });
        answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
        return new Person(api, email, password, answer["access_token"], answer["refresh_token"], answer.Body.GetProperty("user_id").GetGuid());
    }

    /// <summary>Straight into the table: how administrators come about is another test's business.</summary>
    public static async Task<Person> RegisterAdministratorAsync(this VtpApi api)
    {
        var person = await api.RegisterAsync();
        await api.QueryAsync<int>("UPDATE accounts SET role = 'admin' WHERE id = $1", person.UserId);
        return await person.SignInAgainAsync();
    }

    public static Task<Answer> SignInAsync(this VtpApi api, string email, string password, string? code = null) =>
        api.PostAsync("auth/login", new { email, password, code });

    public static async Task<Person> SignInAgainAsync(this Person person)
    {
        var answer = await person.Api.SignInAsync(person.Email, person.Password);
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        return person with { AccessToken = answer["access_token"], RefreshToken = answer["refresh_token"] };
    }

    public static async Task<Person> VerifyEmailAsync(this Person person)
    {
        var token = await person.Api.TokenFromMailAsync(person.Email, "verify");
        (await person.Api.PostAsync("auth/verify-email", new { token })).Status.Should().Be(HttpStatusCode.OK);
        return person;
    }

    /// <summary>Turns two-factor sign-in on, and moves the clock on, so that the next code is a new one.</summary>
    public static async Task<(Authenticator App, string[] BackupCodes)> EnableTwoFactorAsync(this Person person)
    {
        var setup = await person.PostAsync("auth/2fa/setup");
        setup.Status.Should().Be(HttpStatusCode.OK, setup.Text);
        var app = new Authenticator(person.Api, setup["secret"]);
        var enabled = await person.PostAsync("auth/2fa/enable", new { code = app.Code() });
        enabled.Status.Should().Be(HttpStatusCode.OK, enabled.Text);
        person.Api.Clock.Advance(TimeSpan.FromSeconds(Totp.StepSeconds));
        return (app, [.. enabled.Body.GetProperty("backup_codes").EnumerateArray().Select(code => code.GetString()!)]);
    }

    public static async Task<string> ChallengeAsync(this Person person)
    {
        var answer = await person.Api.SignInAsync(person.Email, person.Password);
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        answer.Body.GetProperty("requires_2fa").GetBoolean().Should().BeTrue();
        return answer["challenge_token"];
    }
}

/// <summary>An authenticator app: knows the secret as a person typed it, and the server's time.</summary>
public sealed class Authenticator(VtpApi api, string base32)
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public string Code(int steps = 0) => Totp.Code(Decode(), Totp.StepAt(api.Clock.GetUtcNow()) + steps);

    /// <summary>Six digits that are not right at any time near now.</summary>
    public string WrongCode()
    {
        var near = Enumerable.Range(-3, 7).Select(Code).ToHashSet(StringComparer.Ordinal);
        return Enumerable.Range(0, 100).Select(number => number.ToString("D6", CultureInfo.InvariantCulture)).First(code => !near.Contains(code));
    }

    private byte[] Decode()
    {
        var bits = string.Concat(base32.Select(letter => Convert.ToString(Alphabet.IndexOf(letter), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(index => Convert.ToByte(bits.Substring(index * 8, 8), 2))];
    }
}
