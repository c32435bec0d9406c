using Vtp.Infrastructure.Audit;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Audit;

/// <summary>A server that seals when it is asked, so that a test gets there first.</summary>
public sealed class PatientSealingApi : VtpApi
{
    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("Audit:SealEvery", "1.00:00:00")];
}

/// <summary>What VTP did not write is never sealed as if it had.</summary>
public sealed class MarkTests(PatientSealingApi api) : IClassFixture<PatientSealingApi>
{
    private const string Insert =
        """
        INSERT INTO audit_entries (id, organization_id, action, outcome, actor_type, actor_name, changes, occurred_at, kept_until, mark)
        VALUES ($2, $1, 'project.updated', 'succeeded', 'user', 'noor@school.example', $4::jsonb, now(), now() + interval '365 days', $3)
        """;

    public static TheoryData<string, string> Edits => new()
    {
        { "id", "gen_random_uuid()" },
        { "project_id", "NULL" },
        { "action", "'project.updated'" },
        { "outcome", "'refused'" },
        { "reason", "'auth.forbidden'" },
        { "actor_type", "'system'" },
        { "actor_id", "gen_random_uuid()" },
        { "target_id", "gen_random_uuid()" },
        { "target_id", "NULL" },
        { "target_name", "'Another film'" },
        { "target_name", "target_name || ''" },
        { "ip_address", "'203.0.113.9'" },
        { "user_agent", "'curl'" },
        { "trace_id", "'00000000000000000000000000000001'" },
        { "changes", "'[]'" },
        { "changes", "NULL" },
        { "occurred_at", "occurred_at - interval '1 microsecond'" },
        { "kept_until", "kept_until - interval '1 microsecond'" },
    };

    [Fact]
    public async Task An_entry_that_somebody_inserts_is_never_sealed_and_is_reported_by_its_id_and_holds_up_nobody()
    {
        var school = await api.FoundSchoolAsync();
        var genuine = await api.QueryAsync<byte[]>("SELECT mark FROM audit_entries WHERE organization_id = $1", school.Id);
        var deep = new string('[', 100) + new string(']', 100);
        var inserted = new Dictionary<Guid, (object Mark, object Changes)>
        {
            [new Guid("00000000-0000-7000-8000-0000000000a1")] = (DBNull.Value, DBNull.Value),
            [new Guid("00000000-0000-7000-8000-0000000000a2")] = (Array.Empty<byte>(), DBNull.Value),
            [new Guid("00000000-0000-7000-8000-0000000000a3")] = (new byte[32], "[1e999]"),
            [new Guid("00000000-0000-7000-8000-0000000000a4")] = (new byte[32], deep),
            [new Guid("ffffffff-ffff-7fff-8fff-ffffffffffff")] = (genuine!, "{}"),
        };
        foreach (var (id, (mark, changes)) in inserted)
        {
            await using var connection = await api.ConnectAsync();
            await using var command = new Npgsql.NpgsqlCommand(Insert, connection)
            {
                Parameters =
                {
                    new() { Value = school.Id },
                    new() { Value = id },
                    new() { Value = mark, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bytea },
                    new() { Value = changes, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
                },
            };
            await command.ExecuteNonQueryAsync();
        }

        // More than a batch, so that the inserted ones lie before, among and behind those of the first.
        await school.WriteEntriesAsync(1500);
        await school.CreateProjectAsync();
        for (var times = 0; times < 3; times++)
        {
            var verified = await school.VerifyAuditAsync();

            verified.Body.GetProperty("valid").GetBoolean().Should().BeFalse();
            verified.Body.GetProperty("last_sequence").GetInt64().Should().Be(1502, verified.Text);
            verified.Body.GetProperty("findings").EnumerateArray().Select(finding => (finding.GetProperty("kind").GetString(), finding.GetProperty("id").GetGuid()))
                .Should().BeEquivalentTo(inserted.Keys.Select(id => ("inserted", id)));
        }

        foreach (var id in inserted.Keys)
        {
            api.Log.Count(line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains($"{id}", StringComparison.Ordinal)).Should().Be(1, "it is said once");
        }

        (await school.VerifyExportAsync(await school.ExportAsync())).Findings.Should().BeEmpty("what has no place is in no proof");
    }

    [Theory]
    [MemberData(nameof(Edits))]
    public async Task Whoever_edits_an_entry_before_it_is_sealed_is_found(string column, string value)
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        const string Created = "ORG AND action = 'project.created'";
        var isEdit = value != "target_name || ''";
        await school.TamperAsync($"UPDATE audit_entries SET {column} = {value} WHERE {Created}");

        var verified = await school.VerifyAuditAsync();

        project.Id.Should().NotBeEmpty();
        verified.Body.GetProperty("valid").GetBoolean().Should().Be(!isEdit, verified.Text);
        verified.Body.GetProperty("last_sequence").GetInt64().Should().Be(isEdit ? 1 : 2);
    }

    [Fact]
    public async Task Every_node_knows_the_marks_of_every_other_also_by_a_new_key()
    {
        var school = await api.FoundSchoolAsync();
        var second = await SecondNode.BesideAsync(api);
        try
        {
            await api.Service<AuditSigningKeys>().RotateAsync(CancellationToken.None);
            await school.CreateProjectAsync("By the old key");
            api.Clock.Advance(TimeSpan.FromMinutes(1));
            await school.CreateProjectAsync("By the new key");

            await second.Service<AuditSealer>().CompleteAsync(school.Id, CancellationToken.None);

            (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1 AND sequence IS NULL", school.Id)).Should().Be(0);
            await school.SealedAsync();
        }
        finally
        {
            await second.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_is_there_when_entries_begin_to_be_marked_is_sealed_once()
    {
        await using var old = new Updated();
        await old.InitializeAsync();
        var school = await old.FoundSchoolAsync();
        await school.SealedAsync();
        await old.StopAsync();
        await old.QueryAsync<int>("ALTER TABLE audit_entries DROP COLUMN mark; DELETE FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" = '0006_audit_marks'");
        const string Unmarked =
            """
            INSERT INTO audit_entries (id, organization_id, action, outcome, actor_type, occurred_at)
            SELECT gen_random_uuid(), $1, 'project.updated', 'succeeded', 'system', now() FROM generate_series(1, 3)
            """;
        await old.QueryAsync<int>(Unmarked, school.Id);

        await old.StartAsync();

        (await old.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1 AND sequence IS NULL", school.Id)).Should().Be(0);
        await old.QueryAsync<int>(Unmarked, school.Id);
        await old.StopAsync();
        await old.StartAsync();
        (await old.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1 AND sequence IS NULL", school.Id)).Should().Be(3, "it was once");
    }

    private sealed class Updated : VtpApi, IAsyncDisposable
    {
        ValueTask IAsyncDisposable.DisposeAsync() => new(DisposeAsync());
    }
}
