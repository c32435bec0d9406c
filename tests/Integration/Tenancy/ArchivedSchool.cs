using System.Net;
using System.Text.Json;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>An organization with something of everything that an archive holds.</summary>
internal sealed record ArchivedSchool(Person Owner, Person Teacher, Guid Id, string Name, Guid Project, string Key, string RevokedKey, Guid PendingInvitation)
{
    public static async Task<ArchivedSchool> FoundAsync(VtpApi api)
    {
        var owner = await (await api.RegisterAsync(role: "teacher")).VerifyEmailAsync();
        var name = $"Haddad \"School\" \\ {Guid.NewGuid():N}"[..40];
        var organization = await owner.PostAsync("organizations", new { name, admin_email = Intents.NewAddress(), plan = "Pro" });
        organization.Status.Should().Be(HttpStatusCode.Created, organization.Text);
        var id = Guid.Parse(organization["id"]);

        var teacher = await api.RegisterAsync();
        await InviteAsync(teacher.Email);
        var token = await api.TokenFromMailAsync(teacher.Email, "invited");
        (await teacher.PostAsync("invitations/accept", new { token })).Status.Should().Be(HttpStatusCode.OK);

        // An administrator of the installation, which nobody is to become elsewhere.
        await api.SystemAsync<int>("UPDATE accounts SET role = 'admin' WHERE id = $1", teacher.UserId);

        var pending = await InviteAsync(Intents.NewAddress());
        var revoked = await InviteAsync(Intents.NewAddress());
        await api.SendAsync(HttpMethod.Delete, $"organizations/{id}/invitations/{revoked}", token: owner.AccessToken);
        var expired = await InviteAsync(Intents.NewAddress());
        await api.SystemAsync<int>("UPDATE invitations SET expires_at = created_at WHERE id = $1", expired);

        var (project, key) = await ProjectAsync();
        var (deleted, _) = await ProjectAsync();
        (await api.SendAsync(HttpMethod.Delete, $"projects/{deleted}", token: owner.AccessToken)).Status.Should().Be(HttpStatusCode.OK);
        var ended = await KeyAsync();
        await api.SendAsync(HttpMethod.Delete, $"projects/{project}/keys/{ended.Id}", token: owner.AccessToken);
        var rotated = await KeyAsync();
        (await owner.PostAsync($"projects/{project}/keys/{rotated.Id}/rotate", new { overlap_hours = 1 })).Status.Should().Be(HttpStatusCode.Created);

        await api.MailSettledAsync();
        return new ArchivedSchool(owner, teacher, id, name, project, key, ended.Key, pending);

        async Task<Guid> InviteAsync(string email)
        {
            var answer = await owner.PostAsync($"organizations/{id}/members", new { email, name = "Noor", role = "Developer" });
            answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
            return answer.Body.GetProperty("invitation").GetProperty("id").GetGuid();
        }

        async Task<(Guid Id, string Secret)> ProjectAsync()
        {
            var answer = await owner.PostAsync(
                $"projects?org_id={id}",
                new { name = "دروس \u2028 Evening", region = "eu-central", webhook_url = "https://school.example/hooks", storage_config = new { provider = "s3", bucket = "b" } });
            answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
            return (answer.Body.GetProperty("project").GetProperty("id").GetGuid(), answer["api_secret"]);
        }

        async Task<(Guid Id, string Key)> KeyAsync()
        {
            var answer = await owner.PostAsync(
                $"projects/{project}/keys", new { name = "Reports", scopes = new[] { "project:read" }, allowed_cidrs = new[] { "127.0.0.0/8", "::1" } });
            answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
            return (Id(answer.Body.GetProperty("api_key")), answer["key"]);
        }

        static Guid Id(JsonElement view) => view.GetProperty("id").GetGuid();
    }
}
