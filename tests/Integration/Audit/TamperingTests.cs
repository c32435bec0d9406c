using System.Text.Json;
using Vtp.Domain.Audit;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Audit;

/// <summary>Whoever owns the table can change it. Three verifiers, of which one shares nothing with VTP, see that.</summary>
public sealed class TamperingTests(VtpApi api) : IClassFixture<VtpApi>
{
    private const string At10 = "ORG AND sequence = 10";

    public static TheoryData<string, string, long> Edits => new()
    {
        { "action", "'project.deleted'", 10 },
        { "outcome", "'refused'", 10 },
        { "reason", "'auth.forbidden'", 10 },
        { "project_id", "gen_random_uuid()", 10 },
        { "actor_type", "'system'", 10 },
        { "actor_id", "gen_random_uuid()", 10 },
        { "actor_name", "'eve@school.example'", 10 },
        { "target_id", "gen_random_uuid()", 10 },
        { "target_name", "'Another film'", 10 },
        { "ip_address", "'203.0.113.9'", 10 },
        { "user_agent", "'curl'", 10 },
        { "trace_id", "'00000000000000000000000000000001'", 10 },
        { "changes", "'[{\"a\": 1}]'", 10 },
        { "occurred_at", "occurred_at - interval '1 microsecond'", 10 },
        { "kept_until", "kept_until - interval '1 microsecond'", 10 },
        { "id", "gen_random_uuid()", 10 },
        { "previous_hash", "decode(repeat('ab', 32), 'hex')", 10 },
        { "hash", "decode(repeat('ab', 32), 'hex')", 10 },
    };

    [Fact]
    public async Task An_untouched_trail_is_valid_for_all()
    {
        var school = await FilledAsync();

        var verified = await school.VerifyAuditAsync();
        verified.Body.GetProperty("valid").GetBoolean().Should().BeTrue(verified.Text);
        verified.Body.GetProperty("first_sequence").GetInt64().Should().Be(1);
        verified.Body.GetProperty("last_sequence").GetInt64().Should().Be(verified.Body.GetProperty("entries").GetInt64()).And.BeGreaterThan(30);
        verified.Body.GetProperty("not_yet_covered").GetInt64().Should().Be(0);

        var (findings, command, script, said) = await school.VerifyExportAsync(await school.ExportAsync());
        findings.Should().BeEmpty();
        (command, script).Should().Be((0, 0), said);
    }

    [Theory]
    [MemberData(nameof(Edits))]
    public async Task An_edit_of_any_field_is_found_and_located(string column, string value, long sequence)
    {
        var school = await FilledAsync();
        await school.TamperAsync($"UPDATE audit_entries SET {column} = {value} WHERE {At10}");

        await FoundAsync(school, finding => finding.GetProperty("sequence").GetInt64() == sequence || finding.GetProperty("last_sequence").ToString() == $"{sequence}");
    }

    [Fact]
    public async Task An_entry_that_was_moved_to_another_organization_is_missed()
    {
        var school = await FilledAsync();
        await school.TamperAsync($"UPDATE audit_entries SET organization_id = gen_random_uuid() WHERE {At10}");

        await FoundAsync(school, finding => Kind(finding) == "deleted" && finding.GetProperty("sequence").GetInt64() == 10);
    }

    [Fact]
    public async Task An_inserted_entry_is_found_with_and_without_a_hash_that_fits()
    {
        const string Copy =
            """
            INSERT INTO audit_entries (id, organization_id, action, outcome, actor_type, occurred_at, kept_until, sequence, previous_hash, hash)
            SELECT gen_random_uuid(), organization_id, action, outcome, actor_type, occurred_at, kept_until, sequence
            """;
        foreach (var rest in new[] { ", previous_hash, NULL", ", previous_hash, hash" })
        {
            var school = await FilledAsync();
            await school.TamperAsync($"{Copy}{rest} FROM audit_entries WHERE {At10}");
            await FoundAsync(school, finding => Kind(finding) is "inserted" && finding.GetProperty("sequence").GetInt64() == 10);
        }

        // One whose own hash is right, put where another was.
        var clever = await FilledAsync();
        await RewriteAsync(clever, 10);
        await FoundAsync(clever, finding => finding.GetProperty("sequence").GetInt64() is 10 or 11);
    }

    [Theory]
    [InlineData("DELETE FROM audit_entries WHERE ORG AND sequence = 1", "deleted", 1)]
    [InlineData("DELETE FROM audit_entries WHERE ORG AND sequence BETWEEN 12 AND 14", "deleted", 12)]
    [InlineData("UPDATE audit_entries SET sequence = 31 - sequence WHERE ORG AND sequence IN (15, 16)", "edited", 15)]
    [InlineData("DELETE FROM audit_entries WHERE ORG AND sequence > 25", "cut_off", 26)]
    [InlineData("DELETE FROM audit_entries WHERE ORG AND sequence > 25; UPDATE audit_chains SET last_sequence = 25, last_hash = (SELECT hash FROM audit_entries WHERE ORG AND sequence = 25) WHERE ORG", null, 26)]
    public async Task What_is_deleted_swapped_or_cut_off_is_found_and_located(string statement, string? kind, long sequence)
    {
        var school = await FilledAsync();
        await school.TamperAsync(statement);

        await FoundAsync(school, finding => (kind is null || Kind(finding) == kind) && finding.GetProperty("sequence").GetInt64() == sequence);
    }

    [Fact]
    public async Task A_tail_that_was_cut_off_with_its_checkpoints_is_found_by_a_checkpoint_that_was_kept()
    {
        var school = await FilledAsync();
        var kept = (await school.ExportAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Last(line => line.Contains("\"checkpoint\"", StringComparison.Ordinal));
        using var document = JsonDocument.Parse(kept);
        var jws = document.RootElement.GetProperty("jws").GetString()!;
        api.Log.Should().Contain(line => line.Contains(jws, StringComparison.Ordinal), "whoever ships logs has it too");

        await school.TamperAsync(
            "DELETE FROM audit_entries WHERE ORG AND sequence > 25",
            "DELETE FROM audit_checkpoints WHERE ORG AND sequence > 25",
            "UPDATE audit_chains SET last_sequence = 25, checkpoint_sequence = 0, last_hash = (SELECT hash FROM audit_entries WHERE ORG AND sequence = 25) WHERE ORG");
        var export = await school.ExportAsync();

        (await school.VerifyExportAsync(export)).Findings.Should().BeEmpty("what is left is a genuine trail of an earlier time");
        var (findings, command, script, said) = await school.VerifyExportAsync(export, jws);
        findings.Should().Contain(finding => finding.Kind == AuditFindingKind.Rewritten || finding.Kind == AuditFindingKind.CutOff, said);
        (command, script).Should().Be((1, 1), said);
    }

    [Fact]
    public async Task A_forged_checkpoint_is_found()
    {
        var school = await FilledAsync();
        await school.TamperAsync("UPDATE audit_checkpoints SET jws = jws || 'AA' WHERE ORG");

        await FoundAsync(school, finding => Kind(finding) == "bad_signature");
    }

    [Fact]
    public async Task The_table_itself_refuses_what_is_not_sealing()
    {
        var school = await FilledAsync();
        await school.WriteEntriesAsync(1, "project.restored");
        foreach (var statement in new[] { "UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries", "UPDATE audit_entries SET hash = NULL", "UPDATE audit_entries SET sequence = 1, target_name = 'x'" })
        {
            await school.Awaiting(one => one.Api.QueryAsync<int>($"{statement} WHERE organization_id = $1", one.Id))
                .Should().ThrowAsync<Npgsql.PostgresException>().WithMessage("*the audit trail only grows*");
        }
    }

    private static string Kind(JsonElement finding) => finding.GetProperty("kind").GetString()!;

    /// <summary>Edits an entry and gives it the hash that its new content has.</summary>
    private static async Task RewriteAsync(School school, long sequence)
    {
        await school.TamperAsync($"UPDATE audit_entries SET target_name = 'Forged' WHERE ORG AND sequence = {sequence}");
        var line = (await school.ExportAsync()).Split('\n').Single(line => line.Contains($"\"sequence\":{sequence},", StringComparison.Ordinal));
        using var document = JsonDocument.Parse(line);
        await school.TamperAsync($"UPDATE audit_entries SET hash = decode('{AuditChain.HashOf(document.RootElement)}', 'hex') WHERE ORG AND sequence = {sequence}");
    }

    private async Task<School> FilledAsync()
    {
        var school = await api.FoundSchoolAsync();
        await school.CreateProjectAsync();
        await school.WriteEntriesAsync(30);
        await school.SealedAsync();
        return school;
    }

    private static async Task FoundAsync(School school, Func<JsonElement, bool> isIt)
    {
        var verified = await school.VerifyAuditAsync();
        verified.Body.GetProperty("valid").GetBoolean().Should().BeFalse(verified.Text);
        verified.Body.GetProperty("findings").EnumerateArray().Where(isIt).Should().NotBeEmpty(verified.Text);

        var (findings, command, script, said) = await school.VerifyExportAsync(await school.ExportAsync());
        findings.Should().NotBeEmpty();
        (command, script).Should().Be((1, 1), said);
    }
}
