using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Npgsql;
using Vtp.Domain.Audit;
using Vtp.Infrastructure.Audit;
using Vtp.Integration.Fixture;
using Vtp.Integration.Startup;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Audit;

/// <summary>What auditors do with the trail.</summary>
internal static class AuditIntents
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static async Task<Answer> VerifyAuditAsync(this School school)
    {
        var answer = await school.Owner.GetAsync($"audit-logs/verify?org_id={school.Id}");
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        return answer;
    }

    public static async Task<string> ExportAsync(this School school, string query = "")
    {
        var answer = await school.Owner.GetAsync($"audit-logs/export?format=ndjson&org_id={school.Id}{query}");
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        return answer.Text;
    }

    public static async Task<List<JsonElement>> EntriesAsync(this School school, string query = "")
    {
        var answer = await school.Owner.GetAsync($"audit-logs?org_id={school.Id}{query}");
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        return [.. answer.Body.GetProperty("data").EnumerateArray()];
    }

    public static Task<string> AuditKeysAsync(this VtpApi api) => api.Http.GetStringAsync(new Uri("/api/v1/audit-logs/keys", UriKind.Relative));

    /// <summary>Straight into the table, with the marks that VTP would have given them.</summary>
    public static async Task WriteMarkedAsync(this VtpApi api, string insert, params object[] parameters)
    {
        await using var connection = await api.ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await api.WriteMarkedAsync(transaction, insert, parameters);
        await transaction.CommitAsync();
    }

    /// <summary>As the server's own work, which sees every organization.</summary>
    public static async Task<NpgsqlConnection> ConnectAsync(this VtpApi api)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(api.ConnectionString) { Options = "-c vtp.tenants=*" }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public static async Task WriteMarkedAsync(this VtpApi api, NpgsqlTransaction transaction, string insert, params object[] parameters)
    {
        await RunAsync("CREATE TEMP TABLE staged (LIKE audit_entries INCLUDING DEFAULTS) ON COMMIT DROP");
        await RunAsync(insert.Replace("INSERT INTO audit_entries", "INSERT INTO staged", StringComparison.Ordinal), parameters);
        var (ids, marks) = (new List<Guid>(), new List<byte[]>());
        await using (var command = new NpgsqlCommand($"SELECT {AuditRow.MarkedColumns} FROM staged", transaction.Connection, transaction))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                var row = new AuditRow(reader);
                ids.Add(row.Id);
                marks.Add(api.Service<AuditSigningKeys>().Mac(AuditMarks.Form(row)));
            }
        }

        await RunAsync("UPDATE staged SET mark = made.mark FROM unnest($1, $2) AS made (id, mark) WHERE staged.id = made.id", ids.ToArray(), marks.ToArray());
        await RunAsync("INSERT INTO audit_entries SELECT * FROM staged");

        async Task RunAsync(string sql, params object[] values)
        {
            await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
            command.Parameters.AddRange(Array.ConvertAll(values, value => new NpgsqlParameter { Value = value }));
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>Straight into the table, as VTP would write them: actions of somebody, one a minute until now.</summary>
    public static Task WriteEntriesAsync(this School school, int count, string action = AuditActions.ProjectUpdated, int keptDays = 365) =>
        school.Api.WriteMarkedAsync(
            $"""
            INSERT INTO audit_entries (id, organization_id, action, outcome, actor_type, actor_id, actor_name, target_name, occurred_at, kept_until)
            SELECT gen_random_uuid(), $1, '{action}', 'succeeded', 'user', $2, 'noor@school.example', 'Film ' || number, at, at + interval '{keptDays} days'
            FROM generate_series(1, $3) AS number CROSS JOIN LATERAL (SELECT date_trunc('milliseconds', now()) - ($3 - number) * interval '1 minute' AS at) AS time
            """,
            school.Id, school.Owner.UserId, count);

    /// <summary>Sealed, and signed up to the last entry.</summary>
    public static async Task SealedAsync(this School school) => (await school.VerifyAuditAsync()).Body.GetProperty("valid").GetBoolean().Should().BeTrue();

    /// <summary>Who owns the table can do anything with it.</summary>
    public static async Task TamperAsync(this School school, params string[] statements)
    {
        var all = string.Join(";", statements).Replace("ORG", $"organization_id = '{school.Id}'", StringComparison.Ordinal);
        await school.Api.QueryAsync<int>($"ALTER TABLE audit_entries DISABLE TRIGGER USER; {all}; ALTER TABLE audit_entries ENABLE TRIGGER USER");
    }

    /// <summary>VTP's own verifier, the command and the independent script, over a real export: exit codes and what they say.</summary>
    public static Task<(List<AuditFinding> Findings, int Command, int Script, string Said)> VerifyExportAsync(this School school, string export, params string[] kept) =>
        school.Api.VerifyExportAsync(export, kept);

    public static async Task<(List<AuditFinding> Findings, int Command, int Script, string Said)> VerifyExportAsync(this VtpApi api, string export, params string[] kept)
    {
        var keys = await api.AuditKeysAsync();
        var folder = Directory.CreateTempSubdirectory("vtp-audit-");
        try
        {
            string PathOf(string name) => Path.Combine(folder.FullName, name);
            await File.WriteAllTextAsync(PathOf("export"), export, new UTF8Encoding(false));
            await File.WriteAllTextAsync(PathOf("keys"), keys);
            await File.WriteAllLinesAsync(PathOf("kept"), kept);
            var findings = new List<AuditFinding>();
            using (var known = AuditKeys.Parse(keys))
            await using (var stream = File.OpenRead(PathOf("export")))
            {
                AuditExport.Verify(stream, known, kept.Select(jws => (jws, "A kept checkpoint")), findings.Add);
            }

            string[] checkpoint = kept.Length > 0 ? ["--checkpoint", PathOf("kept")] : [];
            var command = await RunAsync(RealServer.Dotnet, [RealServer.Assembly(), "audit", "verify", "--export", PathOf("export"), "--key", PathOf("keys"), .. checkpoint]);
            var script = await RunAsync("node", [Repository("docs/examples/verify-audit.mjs"), PathOf("export"), PathOf("keys"), .. kept.Length > 0 ? [PathOf("kept")] : Array.Empty<string>()]);
            return (findings, command.Exit, script.Exit, $"{command.Output}\n{script.Output}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public static string Repository(string path)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Vtp.sln")))
        {
            folder = folder.Parent!;
        }

        return Path.Combine(folder.FullName, path);
    }

    private static async Task<(int Exit, string Output)> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Patience);
        await using var kill = deadline.Token.Register(() => process.Kill(entireProcessTree: true));
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync() + await errors;
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }
}
