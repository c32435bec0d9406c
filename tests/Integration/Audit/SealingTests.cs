using Vtp.Application.Operations.Jobs;
using Vtp.Application.Operations.Upkeep;
using Vtp.Infrastructure.Audit;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Audit;

/// <summary>A server that seals often, so that two of them meet.</summary>
public sealed class EagerSealingApi : VtpApi
{
    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("Audit:SealEvery", "00:00:00.020")];
}

public sealed class SealingTests(EagerSealingApi api) : IClassFixture<EagerSealingApi>
{
    private const string Insert =
        """
        INSERT INTO audit_entries (id, organization_id, action, outcome, actor_type, actor_name, occurred_at, kept_until)
        VALUES (gen_random_uuid(), $1, 'project.updated', 'succeeded', 'user', 'noor@school.example', now(), now() + interval '365 days')
        """;

    [Fact]
    public async Task Two_nodes_seal_every_entry_once_while_several_write()
    {
        const int Writers = 6;
        const int Each = 150;
        var second = await SecondNode.BesideAsync(api);
        try
        {
            var schools = new[] { await api.FoundSchoolAsync(), await api.FoundSchoolAsync() };
            using var over = new CancellationTokenSource();

            // Besides the two nodes' own timers.
            var sealers = new[] { api.Service<AuditSealer>(), second.Service<AuditSealer>() }.Select(async sealer =>
            {
                while (!over.IsCancellationRequested)
                {
                    await sealer.SealAllAsync(CancellationToken.None);
                }
            }).ToArray();
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
            {
                for (var number = 0; number < Each; number++)
                {
                    await api.WriteMarkedAsync(Insert, schools[writer % 2].Id);
                }
            }));
            await over.CancelAsync();
            await Task.WhenAll(sealers);

            foreach (var school in schools)
            {
                var verified = await school.VerifyAuditAsync();
                verified.Body.GetProperty("valid").GetBoolean().Should().BeTrue(verified.Text);
                verified.Body.GetProperty("entries").GetInt64().Should().Be((Writers / 2 * Each) + 1);
                (await api.QueryAsync<bool>(
                    "SELECT count(DISTINCT sequence) = count(*) AND max(sequence) = count(*) AND min(sequence) = 1 FROM audit_entries WHERE organization_id = $1", school.Id))
                    .Should().BeTrue("every place is taken once");
                (await school.Owner.GetAsync($"audit-logs/stats?org_id={school.Id}")).Body.GetProperty("total_actions").GetInt64()
                    .Should().Be((Writers / 2 * Each) + 1, "every entry is counted once");
            }
        }
        finally
        {
            await second.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_commits_late_is_sealed_later_and_holds_up_nobody()
    {
        var school = await api.FoundSchoolAsync();
        await using var connection = await api.ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await api.WriteMarkedAsync(transaction, Insert.Replace("gen_random_uuid()", "'00000000-0000-7000-8000-000000000001'", StringComparison.Ordinal), school.Id);

        await school.WriteEntriesAsync(20);
        (await school.VerifyAuditAsync()).Body.GetProperty("last_sequence").GetInt64().Should().Be(21);

        await transaction.CommitAsync();

        var verified = await school.VerifyAuditAsync();
        verified.Body.GetProperty("valid").GetBoolean().Should().BeTrue(verified.Text);
        verified.Body.GetProperty("last_sequence").GetInt64().Should().Be(22);
        (await api.QueryAsync<long>("SELECT sequence FROM audit_entries WHERE id = '00000000-0000-7000-8000-000000000001'"))
            .Should().Be(22, "its id is the smallest, and it came last");
    }

    [Fact]
    public async Task Entries_are_sealed_without_anybody_asking_and_the_schedule_signs_and_logs_a_checkpoint()
    {
        var school = await api.FoundSchoolAsync();
        await UntilSealedAsync(school);

        await api.Service<ISchedules>().RunAsync("audit.checkpoint", CancellationToken.None);

        await VtpApi.UntilAsync(
            async () => await api.QueryAsync<long>("SELECT count(*) FROM audit_checkpoints WHERE organization_id = $1", school.Id) == 1, "the first checkpoint");
        var jws = await api.QueryAsync<string>("SELECT jws FROM audit_checkpoints WHERE organization_id = $1", school.Id);
        await VtpApi.UntilAsync(() => api.Log.Any(line => line.StartsWith("Information", StringComparison.Ordinal) && line.Contains(jws!, StringComparison.Ordinal)), "its line in the log");
    }

    [Fact]
    public async Task A_chain_that_has_grown_gets_a_checkpoint_and_a_resting_one_none()
    {
        var school = await api.FoundSchoolAsync();
        await school.SealedAsync();
        await school.WriteEntriesAsync(3);
        await UntilSealedAsync(school);
        var before = await CheckpointsAsync();

        await api.Service<IUpkeep>().SignAuditCheckpointsAsync(CancellationToken.None);
        var after = await CheckpointsAsync();
        await api.Service<IUpkeep>().SignAuditCheckpointsAsync(CancellationToken.None);

        after.Should().BeGreaterThan(before);
        (await CheckpointsAsync()).Should().Be(after);

        Task<long> CheckpointsAsync() => api.QueryAsync<long>("SELECT count(*) FROM audit_checkpoints WHERE organization_id = $1", school.Id);
    }

    [Fact]
    public async Task The_installation_has_a_chain_of_its_own()
    {
        await api.RegisterAsync();

        await api.Service<ISchedules>().RunAsync("audit.checkpoint", CancellationToken.None);

        await VtpApi.UntilAsync(
            async () => await api.QueryAsync<long>("SELECT count(*) FROM audit_checkpoints WHERE organization_id = '00000000-0000-0000-0000-000000000000'") > 0,
            "its checkpoint");
        (await api.QueryAsync<bool>("SELECT max(sequence) = count(sequence) FROM audit_entries WHERE organization_id IS NULL")).Should().BeTrue();
    }

    [Fact]
    public async Task All_nodes_sign_with_the_same_key_which_is_sealed_at_rest()
    {
        var second = await SecondNode.BesideAsync(api);
        try
        {
            var keys = await api.AuditKeysAsync();

            (await second.AuditKeysAsync()).Should().Be(keys);
            keys.Should().NotContain("\"d\"");
            (await api.Http.GetStringAsync(new Uri("/.well-known/jwks.json", UriKind.Relative))).Should().NotBe(keys, "tokens are signed with other keys");
            var stored = await api.QueryAsync<byte[]>("SELECT private_key FROM audit_signing_keys");
            using var ecdsa = System.Security.Cryptography.ECDsa.Create();
            ecdsa.Invoking(key => key.ImportPkcs8PrivateKey(stored, out _)).Should().Throw<System.Security.Cryptography.CryptographicException>();
        }
        finally
        {
            await second.DisposeAsync();
        }
    }

    private Task UntilSealedAsync(School school) => VtpApi.UntilAsync(
        async () => await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1 AND sequence IS NULL", school.Id) == 0,
        "the entries to be sealed");
}
