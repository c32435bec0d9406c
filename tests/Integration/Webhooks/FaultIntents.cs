using System.Net;
using Npgsql;
using Vtp.Infrastructure.Persistence.Embedded;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Webhooks;

internal static class FaultIntents
{
    /// <summary>As many changes of a project at once, straight into the log. Of each subject there are ten, one after another.</summary>
    public static Task<object?> TellAsync(this Hook hook, int count) => hook.School.Api.QueryAsync<object>(
        """
        INSERT INTO events (id, type, organization_id, project_id, subject, data, actor_type, occurred_at)
        SELECT gen_random_uuid(), 'project.updated', $1, $2, 'subject ' || (number - 1) % greatest(1, $3 / 10), json_build_object('number', number), 'system', $4
        FROM generate_series(1, $3) AS number ORDER BY number
        """,
        hook.School.Id, hook.Project.Id, count, hook.School.Api.Clock.GetUtcNow());

    /// <summary>How many deliveries of an endpoint are in a state, by the table itself.</summary>
    public static async Task<int> CountAsync(this Hook hook, string state) =>
        (int)await hook.School.Api.QueryAsync<long>("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = $1 AND state = $2", hook.Id, state);

    public static async Task<int> AttemptsAsync(this Hook hook) =>
        (int)await hook.School.Api.QueryAsync<long>("SELECT count(*) FROM webhook_attempts WHERE endpoint_id = $1", hook.Id);

    /// <summary>The log has given all events to those who deliver them.</summary>
    public static Task EventsPlacedAsync(this Tenancy.School school) => VtpApi.UntilAsync(
        async () => await school.Api.QueryAsync<bool>(
            """
            SELECT NOT EXISTS (SELECT FROM events WHERE position IS NULL)
                AND (SELECT position FROM event_consumers WHERE name = 'webhooks') = (SELECT position FROM event_log)
            """),
        "all events to be placed");

    /// <summary>By the table: no token outlives the steps of a clock.</summary>
    public static Task<string?> HealthAsync(this Hook hook) => hook.School.Api.QueryAsync<string>(
        "SELECT CASE WHEN disabled_at IS NOT NULL THEN 'disabled' WHEN state ->> 'State' = '0' THEN 'active' ELSE 'paused' END FROM webhook_health WHERE endpoint_id = $1", hook.Id);

    public static async Task SwitchAsync(this Hook hook, string url, bool isOn)
    {
        var answer = await hook.School.Api.SendAsync(
            HttpMethod.Put, hook.Path, new { url, event_types = new[] { "project.updated" }, enabled = isOn }, hook.School.Owner.AccessToken);
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
    }

    /// <summary>The ids of all events of this kind, as deliveries name them.</summary>
    public static async Task<HashSet<string>> ToldAsync(this Hook hook)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(hook.School.Api.ConnectionString) { Options = "-c vtp.tenants=*", Pooling = false });
        await using var command = source.CreateCommand("SELECT id::text FROM events WHERE project_id = $1 AND type = 'project.updated'");
        command.Parameters.Add(new() { Value = hook.Project.Id });
        await using var reader = await command.ExecuteReaderAsync();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync())
        {
            ids.Add(reader.GetString(0));
        }

        return ids;
    }
}

/// <summary>A server whose PostgreSQL can be stopped and started, always at the same address.</summary>
public sealed class StoppableApi : VtpApi
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vtp-stoppable-").FullName;
    private EmbeddedPostgres? _postgres;

    protected override IEnumerable<KeyValuePair<string, string>> Settings =>
        [new("Webhooks:AllowHttp", "true"), new("Webhooks:AllowedNetworks", "127.0.0.0/8"), new("Webhooks:Timeout", "00:00:02")];

    private string Socket => Path.Combine(_folder, "socket");

    public async Task StartPostgresAsync()
    {
        _postgres = await EmbeddedPostgres.StartAsync(new EmbeddedPostgresOptions(_folder), CancellationToken.None);
        Directory.CreateSymbolicLink(Socket, new NpgsqlConnectionStringBuilder(_postgres.ConnectionString).Host!);
    }

    public async Task StopPostgresAsync()
    {
        File.Delete(Socket);
        await _postgres!.DisposeAsync();

        // The test's own connections, which are dead now.
        NpgsqlConnection.ClearAllPools();
    }

    public new async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await StopPostgresAsync();
        await EmbeddedPostgres.ResetAsync(_folder, CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }

    protected override async Task<string> DatabaseAsync()
    {
        File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        await StartPostgresAsync();
        return new NpgsqlConnectionStringBuilder(_postgres!.ConnectionString) { Host = Socket }.ConnectionString;
    }
}
