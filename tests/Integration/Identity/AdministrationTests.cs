using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

public sealed class AdministrationTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Accounts_are_found_by_name_address_and_role_page_by_page()
    {
        var admin = await api.RegisterAdministratorAsync();
        var teacher = await api.RegisterAsync(role: "teacher");

        var found = await admin.GetAsync($"admin/users?search={teacher.Email[..12].ToUpperInvariant()}&role=teacher&limit=1000");
        found.Status.Should().Be(HttpStatusCode.OK, string.Join('\n', api.Log.Where(l => l.StartsWith("Err"))));
        found.Body.GetProperty("data")[0].GetProperty("user_id").GetGuid().Should().Be(teacher.UserId);
        found.Body.GetProperty("pagination").GetProperty("limit").GetInt32().Should().Be(100);
        (await admin.GetAsync("admin/users?search=%25")).Body.GetProperty("data").GetArrayLength().Should().Be(0, "a percent sign is a letter here");
        (await admin.GetAsync($"admin/users/{teacher.UserId}"))["role"].Should().Be("teacher");
        (await admin.GetAsync($"admin/users/{Guid.CreateVersion7()}")).Status.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Only_administrators_administer()
    {
        var (student, other) = (await api.RegisterAsync(), await api.RegisterAsync());
        foreach (var (method, path) in new[]
            { ("GET", "admin/users"), ("POST", "admin/users"), ("GET", $"admin/users/{other.UserId}"), ("PATCH", $"admin/users/{other.UserId}/role"),
              ("POST", $"admin/users/{other.UserId}/disable"), ("POST", $"admin/users/{other.UserId}/enable"), ("GET", "admin/stats"), ("POST", "admin/signing-keys/rotate"),
              ("GET", "admin/audit-logs"), ("GET", "admin/audit-logs/export"), ("GET", "admin/audit-logs/verify"), ("POST", "admin/audit-logs/keys/rotate") })
        {
            object? body = method is "GET" ? null : new { role = "admin", email = "x@y.example", full_name = "X" };
            (await api.SendAsync(new HttpMethod(method), path, body)).Status.Should().Be(HttpStatusCode.Unauthorized, path);
            (await api.SendAsync(new HttpMethod(method), path, body, student.AccessToken)).Status.Should().Be(HttpStatusCode.Forbidden, path);
        }
    }

    [Fact]
    public async Task A_disabled_account_is_out_at_once_and_back_when_enabled()
    {
        var (admin, person) = (await api.RegisterAdministratorAsync(), await api.RegisterAsync());

        (await admin.PostAsync($"admin/users/{person.UserId}/disable"))["disabled"].Should().Be("True");

        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.PostAsync("auth/refresh", new { refresh_token = person.RefreshToken })).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.SignInAsync(person.Email, person.Password)).Error.Should().Be("account.disabled");
        (await api.SignInAsync(person.Email, "not the password")).Error.Should().Be("account.credentials_rejected");
        (await admin.PostAsync($"admin/users/{person.UserId}/enable"))["disabled"].Should().Be("False");
        (await api.SignInAsync(person.Email, person.Password)).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_new_role_ends_the_sessions_whose_tokens_say_the_old_one()
    {
        var (admin, person) = (await api.RegisterAdministratorAsync(), await api.RegisterAsync());

        (await api.SendAsync(HttpMethod.Patch, $"admin/users/{person.UserId}/role", new { id = admin.UserId, role = "teacher" }, admin.AccessToken))["role"]
            .Should().Be("teacher");

        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await (await person.SignInAgainAsync()).GetAsync("auth/profile"))["role"].Should().Be("teacher");
        (await admin.GetAsync("auth/profile"))["role"].Should().Be("admin");
    }

    [Fact]
    public async Task An_account_made_for_somebody_gets_its_password_by_mail_alone()
    {
        var admin = await api.RegisterAdministratorAsync();
        var email = Intents.NewAddress();

        var made = await admin.PostAsync("admin/users", new { email, full_name = "New Teacher", role = "teacher" });
        made.Status.Should().Be(HttpStatusCode.Created, made.Text);
        made.Headers.Location!.ToString().Should().EndWith(made["user_id"]);
        (await api.SignInAsync(email, "")).Status.Should().Be(HttpStatusCode.BadRequest);

        await api.PostAsync("auth/forgot-password", new { email });
        var token = await api.TokenFromMailAsync(email, "reset");
        await api.PostAsync("auth/reset-password", new { token, new_password = Intents.GoodPassword });
        (await api.SignInAsync(email, Intents.GoodPassword)).Body.GetProperty("user").GetProperty("role").GetString().Should().Be("teacher");
        (await admin.PostAsync("admin/users", new { email, full_name = "Again", role = "student" })).Error.Should().Be("account.address_taken");
    }
}

/// <summary>Alone with its server, because it counts administrators.</summary>
public sealed class LastAdministratorTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task One_administrator_is_left_however_many_remove_each_other_at_once()
    {
        var admins = new List<Person>();
        for (var count = 0; count < 5; count++)
        {
            admins.Add(await api.RegisterAdministratorAsync());
        }

        await Task.WhenAll(admins.Select((admin, index) => index % 2 == 0
            ? admin.PostAsync($"admin/users/{admins[(index + 1) % 5].UserId}/disable")
            : api.SendAsync(HttpMethod.Patch, $"admin/users/{admins[(index + 1) % 5].UserId}/role", new { role = "student" }, admin.AccessToken)));

        (await api.QueryAsync<long>("SELECT count(*) FROM accounts WHERE role = 'admin' AND disabled_at IS NULL")).Should().BeGreaterThanOrEqualTo(1);
        await api.QueryAsync<int>(
            "UPDATE accounts SET role = 'student' WHERE role = 'admin' AND id <> (SELECT id FROM accounts WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id LIMIT 1)");
        var lastId = await api.QueryAsync<Guid>("SELECT id FROM accounts WHERE role = 'admin'");
        var last = await admins.Single(admin => admin.UserId == lastId).SignInAgainAsync();

        (await last.PostAsync($"admin/users/{last.UserId}/disable")).Error.Should().Be("account.last_administrator");
        (await api.SendAsync(HttpMethod.Patch, $"admin/users/{last.UserId}/role", new { role = "teacher" }, last.AccessToken))
            .Error.Should().Be("account.last_administrator");
    }
}
