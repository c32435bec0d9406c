using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

public sealed partial class JsonTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Answers_are_snake_case_with_times_in_utc_and_enums_as_words()
    {
        var person = await api.RegisterAsync();

        foreach (var path in new[] { "auth/profile", "auth/sessions", "auth/security-events" })
        {
            var answer = await person.GetAsync(path);
            Names(answer.Body).Should().NotBeEmpty().And.OnlyContain(name => SnakeCase().IsMatch(name));
        }

        var profile = await person.GetAsync("auth/profile");
        profile["role"].Should().Be("student");
        profile["created_at"].Should().MatchRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\z");
        (await person.GetAsync("auth/security-events")).Body.GetProperty("data").EnumerateArray()
            .Select(entry => entry.GetProperty("type").GetString()).Should().Contain("signed_in");
    }

    [Theory]
    [InlineData("full_name")]
    [InlineData("fullName")]
    [InlineData("FULL_NAME")]
    [InlineData("name")]
    public async Task A_field_is_read_under_its_name_in_camel_case_and_under_the_names_it_had(string field)
    {
        var answer = await api.PostAsync("auth/register", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["email"] = Intents.NewAddress(),
            ["password"] = Intents.GoodPassword,
            [field] = "Old Client",
        });

        answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
        answer["full_name"].Should().Be("Old Client");
    }

    [Fact]
    public async Task Old_clients_refresh_and_reset_with_the_names_they_know()
    {
        var person = await api.RegisterAsync();
        (await api.PostAsync("auth/refresh", new { refreshToken = person.RefreshToken })).Status.Should().Be(HttpStatusCode.OK);

        await api.PostAsync("auth/forgot-password", new { email = person.Email });
        var token = await api.TokenFromMailAsync(person.Email, "password");
        var reset = await api.PostAsync("auth/reset-password", new { token, password = "a staple for the battery" });
        reset.Status.Should().Be(HttpStatusCode.OK, reset.Text);
        (await api.SignInAsync(person.Email, "a staple for the battery")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("""{"full_name":"Snake","fullName":"Camel","name":"Old"}""")]
    [InlineData("""{"name":"Old","fullName":"Camel","full_name":"Snake"}""")]
    [InlineData("""{"fullName":"Camel","full_name":"Snake"}""")]
    public async Task The_snake_case_field_wins_wherever_it_stands(string body)
    {
        var person = await api.RegisterAsync();

        (await api.SendAsync(HttpMethod.Put, "auth/profile", body, person.AccessToken))["full_name"].Should().Be("Snake");
    }

    [Fact]
    public async Task Ids_and_roles_smuggled_into_a_body_change_nothing()
    {
        var (victim, stranger) = (await api.RegisterAsync(), await api.RegisterAsync());
        var registered = await api.PostAsync("auth/register", new
        {
            email = Intents.NewAddress(),
            password = Intents.GoodPassword,
            full_name = "Mallory",
            id = victim.UserId,
            user_id = victim.UserId,
            userId = victim.UserId,
            is_admin = true,
            isAdmin = true,
            email_verified = true,
            two_factor_enabled = true,
        });
        registered["role"].Should().Be("student");
        registered["user_id"].Should().NotBe(victim.UserId.ToString());
        registered.Body.GetProperty("user").GetProperty("email_verified").GetBoolean().Should().BeFalse();

        var smuggler = new
        {
            id = victim.UserId,
            user_id = victim.UserId,
            account_id = victim.UserId,
            email = "mallory@school.example",
            role = "admin",
            is_admin = true,
            permissions = new[] { "manage_accounts" },
            full_name = "Mallory",
        };
        var changed = await api.SendAsync(HttpMethod.Put, "auth/profile", smuggler, stranger.AccessToken);
        changed.Status.Should().Be(HttpStatusCode.OK, changed.Text);
        changed["role"].Should().Be("student");
        changed["user_id"].Should().Be(stranger.UserId.ToString());
        changed["email"].Should().Be(stranger.Email);
        (await victim.GetAsync("auth/profile"))["full_name"].Should().NotBe("Mallory");
        (await stranger.GetAsync("admin/users")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
    }

    [Fact]
    public async Task The_role_admin_is_refused_to_who_registers_with_it()
    {
        var email = Intents.NewAddress();

        (await api.PostAsync("auth/register", new { email, password = Intents.GoodPassword, full_name = "Mallory", role = "admin" }))
            .ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");

        (await api.SignInAsync(email, Intents.GoodPassword)).ShouldBeProblem(HttpStatusCode.Unauthorized, "account.credentials_rejected");
    }

    [Fact]
    public async Task The_id_in_the_route_decides_and_not_one_in_the_body()
    {
        var (administrator, target, other) = (await api.RegisterAdministratorAsync(), await api.RegisterAsync(), await api.RegisterAsync());

        var answer = await api.SendAsync(
            HttpMethod.Patch, $"admin/users/{target.UserId}/role", new { id = other.UserId, user_id = other.UserId, role = "teacher" }, administrator.AccessToken);

        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        answer["user_id"].Should().Be(target.UserId.ToString());
        (await administrator.GetAsync($"admin/users/{other.UserId}"))["role"].Should().Be("student");
    }

    private static IEnumerable<string> Names(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().SelectMany(field => Names(field.Value).Prepend(field.Name)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(Names),
        _ => [],
    };

    [GeneratedRegex(@"^[a-z][a-z0-9]*(_[a-z0-9]+)*\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SnakeCase();
}
