using System.Net;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>An organization and the person who founded it.</summary>
public sealed record School(VtpApi Api, Person Owner, Guid Id)
{
    public string Path => $"organizations/{Id}";
}

/// <summary>A project with the keys that its creation showed.</summary>
public sealed record SchoolProject(VtpApi Api, Guid Id, string Key, string Secret)
{
    public string Path => $"projects/{Id}";
}

public static class TenantIntents
{
    public static async Task<School> FoundAsync(this Person owner, string name = "Evening School", string plan = "Pro")
    {
        var answer = await owner.PostAsync("organizations", new { name, admin_email = Intents.NewAddress(), plan });
        answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
        return new School(owner.Api, owner, answer.Body.GetProperty("id").GetGuid());
    }

    public static async Task<School> FoundSchoolAsync(this VtpApi api, string plan = "Pro") => await (await api.RegisterAsync()).FoundAsync(plan: plan);

    public static async Task<SchoolProject> CreateProjectAsync(this School school, string name = "Evening classes")
    {
        var answer = await school.Owner.PostAsync($"projects?org_id={school.Id}", new { name, region = "eu-west" });
        answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
        var project = answer.Body.GetProperty("project");
        return new SchoolProject(school.Api, project.GetProperty("id").GetGuid(), project.GetProperty("pulse_api_key").GetString()!, answer["api_secret"]);
    }

    public static Task<Answer> InviteAsync(this School school, string email, string role = "Developer", Person? by = null) =>
        (by ?? school.Owner).PostAsync($"{school.Path}/members", new { email, name = "Invited Person", role });

    /// <summary>As it happens: invited, mailed, accepted.</summary>
    public static async Task<Person> JoinAsync(this School school, string role = "Developer", Person? person = null)
    {
        person ??= await school.Api.RegisterAsync();
        var invited = await school.InviteAsync(person.Email, role);
        invited.Status.Should().Be(HttpStatusCode.Created, invited.Text);
        await school.Api.MailSettledAsync(); // Not the mail of an earlier invitation.
        var token = await school.Api.TokenFromMailAsync(person.Email, "invited");
        var accepted = await person.PostAsync("invitations/accept", new { token });
        accepted.Status.Should().Be(HttpStatusCode.OK, accepted.Text);
        return person;
    }

    /// <summary>Straight into the table, for tests that need many.</summary>
    public static async Task<Guid> AddMemberAsync(this School school, Person person, string role)
    {
        var id = Guid.CreateVersion7();
        await school.Api.QueryAsync<int>(
            "INSERT INTO members (id, organization_id, account_id, role, invited_at, joined_at) VALUES ($1, $2, $3, $4, now(), now())",
            id, school.Id, person.UserId, role.ToLowerInvariant());
        return id;
    }

    /// <summary>One of the project that is ready, straight into the tables.</summary>
    public static async Task<Guid> AddExportAsync(this School school, Guid project)
    {
        var id = Guid.CreateVersion7();
        await school.Api.QueryAsync<int>(
            """
            WITH export AS (
                INSERT INTO archive_exports (id, organization_id, project_id, requested_by, state, bytes, sha256, created_at, finished_at, expires_at)
                VALUES ($1, $2, $3, $4, 'ready', 3, encode(sha256('ZIP'), 'hex'), now(), now(), now() + interval '7 days') RETURNING id, organization_id)
            INSERT INTO archive_export_chunks (export_id, number, organization_id, data) SELECT id, 0, organization_id, 'ZIP' FROM export
            """,
            id, school.Id, project, school.Owner.UserId);
        return id;
    }

    public static Task<Answer> PutAsync(this Person person, string path, object? body = null) =>
        person.Api.SendAsync(HttpMethod.Put, path, body, person.AccessToken);

    public static Task<Answer> DeleteAsync(this Person person, string path) => person.Api.SendAsync(HttpMethod.Delete, path, null, person.AccessToken);

    public static Task<Answer> WithKeyAsync(this VtpApi api, HttpMethod method, string path, string key, object? body = null) =>
        api.SendAsync(method, path, body, null, ("X-API-Key", key));

    public static Task<Answer> GetWithKeyAsync(this VtpApi api, string path, string key) => api.WithKeyAsync(HttpMethod.Get, path, key);

    public static JsonArray Data(this Answer answer) => JsonNode.Parse(answer.Text)!["data"]!.AsArray();
}
