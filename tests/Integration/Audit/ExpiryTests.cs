using Vtp.Infrastructure.Audit;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Audit;

/// <summary>Alone with its database, whose partitions it drops.</summary>
public sealed class ExpiryTests(VtpApi api) : IClassFixture<VtpApi>
{
    // Two months that are over, made as if they had been prepared in time.
    private const string OldPartitions =
        """
        DO $$
        DECLARE
            month timestamp;
            name text;
        BEGIN
            FOR month IN SELECT generate_series(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '3 months', date_trunc('month', now() AT TIME ZONE 'UTC') - interval '2 months', '1 month') LOOP
                name := 'audit_entries_' || to_char(month, 'YYYY_MM');
                IF to_regclass(name) IS NULL THEN
                    EXECUTE format('CREATE TABLE %I PARTITION OF audit_entries FOR VALUES FROM (%L) TO (%L)', name, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
                    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
                END IF;
            END LOOP;
        END $$
        """;

    [Fact]
    public async Task Expired_partitions_are_dropped_signed_and_every_chain_stays_valid()
    {
        var (kept, dropped) = (await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        await api.QueryAsync<int>(OldPartitions);
        await WriteAsync(dropped, 10, "3 months");
        await WriteAsync(dropped, 5, "-300 days");
        await WriteAsync(dropped, 7, "2 months"); // Expires before what is written before it: an inner gap.
        await WriteAsync(dropped, 4, "-300 days");
        await WriteAsync(kept, 10, "-1000 days");
        await kept.SealedAsync();
        await dropped.SealedAsync();
        var (before, keptBefore) = (await TotalAsync(dropped), await TotalAsync(kept));

        await api.Service<AuditExpiry>().RunOnceAsync(CancellationToken.None);

        (await api.QueryAsync<long>("SELECT count(*) FROM pg_class WHERE relname LIKE 'audit_entries_20__\\___' AND relname < 'audit_entries_' || to_char(now(), 'YYYY_MM')")).Should().Be(0);
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1", kept.Id)).Should().Be(11);
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1", dropped.Id)).Should().Be(10);
        (await TotalAsync(dropped)).Should().Be(before - 17, "what is dropped is no longer counted");
        (await TotalAsync(kept)).Should().Be(keptBefore);

        foreach (var school in new[] { kept, dropped })
        {
            var verified = await school.VerifyAuditAsync();
            verified.Body.GetProperty("valid").GetBoolean().Should().BeTrue(verified.Text);
            var (findings, command, script, said) = await school.VerifyExportAsync(await school.ExportAsync());
            findings.Should().BeEmpty();
            (command, script).Should().Be((0, 0), said);
            said.Should().NotContain("stand before a gap", "what stays before a gap has its own checkpoint").And.Contain("0 entries are covered by none");
        }
    }

    [Fact]
    public async Task What_VTP_did_not_write_keeps_no_partition_and_is_not_signed_for()
    {
        var school = await api.FoundSchoolAsync();
        await api.QueryAsync<int>(OldPartitions);
        await WriteAsync(school, 3, "2 months");
        await api.QueryAsync<int>(Insert("2 months"), school.Id, 2);
        await api.QueryAsync<int>(Insert("20 months"), school.Id, 2);
        var before = await TotalAsync(school);

        await api.Service<AuditExpiry>().RunOnceAsync(CancellationToken.None);

        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1", school.Id)).Should().Be(1);
        (await TotalAsync(school)).Should().Be(before - 7);
        await school.SealedAsync();
    }

    [Fact]
    public async Task What_is_deleted_beside_retention_is_still_found()
    {
        var school = await api.FoundSchoolAsync();
        await api.QueryAsync<int>(OldPartitions);
        await WriteAsync(school, 5, "2 months");
        await WriteAsync(school, 5, "-300 days");
        await school.SealedAsync();
        await api.Service<AuditExpiry>().RunOnceAsync(CancellationToken.None);

        await school.TamperAsync("DELETE FROM audit_entries WHERE ORG AND sequence = 8");

        var verified = await school.VerifyAuditAsync();
        verified.Body.GetProperty("findings")[0].GetProperty("sequence").GetInt64().Should().Be(8);
    }

    [Fact]
    public async Task Expired_entries_of_the_default_partition_are_deleted()
    {
        var school = await api.FoundSchoolAsync();
        await WriteAsync(school, 3, "20 months");
        await school.SealedAsync();
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1 AND tableoid = 'audit_entries_rest'::regclass", school.Id)).Should().Be(3);

        await api.Service<AuditExpiry>().RunOnceAsync(CancellationToken.None);

        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1", school.Id)).Should().Be(1);
        await school.SealedAsync();
    }

    [Fact]
    public async Task A_clock_that_is_ahead_drops_nothing()
    {
        var school = await api.FoundSchoolAsync();
        await school.WriteEntriesAsync(3);
        await school.SealedAsync();

        api.Clock.Advance(TimeSpan.FromDays(4000));
        await api.Service<AuditExpiry>().RunOnceAsync(CancellationToken.None);
        api.Clock.SetBack(TimeSpan.FromDays(4000));

        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1", school.Id)).Should().BeGreaterThanOrEqualTo(4);
    }

    [Fact]
    public async Task Partitions_are_ready_for_every_retention_and_a_month_that_lies_in_the_default_one_is_passed_over()
    {
        var school = await api.FoundSchoolAsync();
        await api.QueryAsync<int>("UPDATE organizations SET audit_retention_days = 1500 WHERE id = $1", school.Id);
        await WriteAsync(school, 1, "-1500 days");

        await api.Service<AuditExpiry>().RunOnceAsync(CancellationToken.None);

        (await api.QueryAsync<bool>("SELECT to_regclass('audit_entries_' || to_char(now() AT TIME ZONE 'UTC' + interval '1500 days 2 months', 'YYYY_MM')) IS NOT NULL")).Should().BeTrue();
        (await api.QueryAsync<bool>("SELECT to_regclass('audit_entries_' || to_char(now() AT TIME ZONE 'UTC' + interval '1500 days', 'YYYY_MM')) IS NULL")).Should().BeTrue();
        (await api.QueryAsync<string>("SELECT coalesce(current_setting('vtp.tenants', true), '') FROM audit_prepare_partitions(365)")).Should().Be("*", "the caller's sight is as it was");
    }

    /// <param name="ago">How long ago they expired; negative for what is still kept.</param>
    private static Task WriteAsync(School school, int count, string ago) => school.Api.WriteMarkedAsync(Insert(ago), school.Id, count);

    private static string Insert(string ago) =>
        $"""
        INSERT INTO audit_entries (id, organization_id, action, outcome, actor_type, actor_name, occurred_at, kept_until)
        SELECT vtp_test_id.id, $1, 'project.updated', 'succeeded', 'user', 'noor@school.example', now() - interval '1 hour', now() - interval '{ago}'
        FROM generate_series(1, $2) AS number
        CROSS JOIN LATERAL (SELECT ('{Guid.CreateVersion7().ToString()[..24]}' || lpad(number::text, 12, '0'))::uuid AS id) AS vtp_test_id
        """;

    private static async Task<long> TotalAsync(School school) =>
        (await school.Owner.GetAsync($"audit-logs/stats?org_id={school.Id}")).Body.GetProperty("total_actions").GetInt64();
}
