using System.Net;
using Npgsql;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>
/// The connection dies at each table that a command writes to, in turn: a trigger ends its own session, as kill -9 of
/// either side would. What is left is what was there before, and the same request then succeeds.
/// </summary>
public sealed class HalfDoneTests(VtpApi api) : IClassFixture<VtpApi>
{
    private static readonly string[] Tables = ["accounts", "organizations", "members", "invitations", "projects", "api_keys", "emails", "audit_entries", "idempotency_keys"];

    [Fact]
    public async Task Nothing_is_half_done_wherever_a_command_dies()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var invited = await api.RegisterAsync();
        var expired = Intents.NewAddress();
        await school.InviteAsync(invited.Email);
        await school.InviteAsync(expired);
        var token = await api.TokenFromMailAsync(invited.Email, "invited");
        await api.MailSettledAsync();
        await api.QueryAsync<int>("UPDATE invitations SET expires_at = now() - interval '1 day' WHERE email = $1", expired);
        var (owner, path) = (school.Owner, school.Path);

        await DiesAtEachAsync(
            () => owner.PostAsync("organizations", new { name = "Half", admin_email = "half@school.example" }),
            HttpStatusCode.Created,
            "organizations", "members", "audit_entries");
        await DiesAtEachAsync(
            () => owner.PostAsync($"projects?org_id={school.Id}", new { name = "Half", region = "eu-west" }),
            HttpStatusCode.Created,
            "projects", "api_keys", "audit_entries");
        await DiesAtEachAsync(
            () => api.SendAsync(HttpMethod.Post, $"{project.Path}/regenerate-keys", null, owner.AccessToken, ("Idempotency-Key", "half-done")),
            HttpStatusCode.OK,
            "projects", "api_keys", "audit_entries", "idempotency_keys");
        await DiesAtEachAsync(
            () => owner.PostAsync($"{path}/members", new { email = expired, name = "Replaces an expired one", role = "Viewer" }),
            HttpStatusCode.Created,
            "invitations", "emails", "audit_entries");
        await DiesAtEachAsync(
            () => invited.PostAsync("invitations/accept", new { token }), HttpStatusCode.OK, "accounts", "members", "invitations", "audit_entries");
        await DiesAtEachAsync(
            () => owner.PutAsync($"{path}/members/{invited.UserId}/role", new { role = "Admin" }), HttpStatusCode.OK, "members", "audit_entries");
        await DiesAtEachAsync(() => owner.DeleteAsync(path), HttpStatusCode.OK, "organizations", "api_keys", "audit_entries");
    }

    private async Task DiesAtEachAsync(Func<Task<Answer>> request, HttpStatusCode success, params string[] tables)
    {
        foreach (var table in tables)
        {
            var before = await SnapshotAsync();
            await ChangeAsync(
                $"""
                CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
                CREATE TRIGGER zz_die BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION die()
                """);
            try
            {
                ((int)(await request()).Status).Should().BeGreaterThanOrEqualTo(500, $"it dies at {table}");
            }
            finally
            {
                await ChangeAsync("DROP FUNCTION die CASCADE");
            }

            (await SnapshotAsync()).Should().Be(before, $"it died at {table}");
        }

        var answer = await request();
        answer.Status.Should().Be(success, answer.Text);
    }

    /// <summary>The server works on the same tables meanwhile, and of two who wait for each other PostgreSQL sends one away.</summary>
    private Task ChangeAsync(string sql) => VtpApi.UntilAsync(
        async () =>
        {
            try
            {
                await api.QueryAsync<int>(sql);
                return true;
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.DeadlockDetected)
            {
                return false;
            }
        },
        "the schema to be changed");

    /// <summary>Without what the server does by itself meanwhile: mails are sent, uses noted, entries sealed.</summary>
    private async Task<string> SnapshotAsync()
    {
        var rows = Tables.Select(table => $"SELECT '{table}' AS name, (to_jsonb(row) - '{{last_used_at,changed_at,sequence,hash,previous_hash,attempts,next_attempt_at,settled_at,failure,token_hash}}'::text[])::text AS row FROM {table} row");
        return await api.QueryAsync<string>($"SELECT md5(string_agg(name || row, E'\\n' ORDER BY name, row)) FROM ({string.Join(" UNION ALL ", rows)}) all_rows") ?? "";
    }
}
