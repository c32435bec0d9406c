using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Vtp.Domain.Audit;

namespace Vtp.Unit.Audit;

/// <summary>The verifier as the server uses it: entries one at a time, what was signed known before.</summary>
public sealed class AuditVerifierTests : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly AuditKeys _keys;

    public AuditVerifierTests() => _keys = AuditKeys.Parse(_key.ExportSubjectPublicKeyInfoPem());

    [Fact]
    public void Whatever_is_done_to_the_order_only_the_order_of_before_is_clean()
    {
        var genuine = Chain(30);
        Prop.ForAll<int[]>(picks =>
        {
            var entries = genuine.ToList();
            foreach (var pick in picks.Where(_ => entries.Count > 0).Select(pick => pick & int.MaxValue))
            {
                var (from, to) = (pick / 4 % entries.Count, pick / 128 % entries.Count);
                switch (pick % 4)
                {
                    case 0:
                        entries.RemoveAt(from);
                        break;
                    case 1:
                        entries.Insert(to, entries[from]);
                        break;
                    case 2:
                        (entries[from], entries[to]) = (entries[to], entries[from]);
                        break;
                    default:
                        entries.RemoveRange(Math.Min(from, to), Math.Abs(from - to));
                        break;
                }
            }

            var isGenuine = entries.SequenceEqual(genuine);
            return Verify(entries, Checkpoint(genuine, 30)).Findings.Count == 0 == isGenuine;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_trail_that_was_turned_around_is_found_without_being_kept()
    {
        var chain = Chain(3000);
        var findings = Verify([.. chain.AsEnumerable().Reverse()], Checkpoint(chain, 3000)).Findings;

        findings.Should().NotBeEmpty();
        findings.Should().HaveCountLessThan(6000);
    }

    [Fact]
    public void Every_other_entry_deleted_is_as_many_findings()
    {
        var chain = Chain(5000);
        var (findings, summary) = Verify([.. chain.Where((_, index) => index % 2 == 1)], Checkpoint(chain, 5000));

        findings.Should().HaveCount(2500).And.OnlyContain(finding => finding.Kind == AuditFindingKind.Deleted && finding.Sequence == finding.LastSequence);
        summary.Unbound.Should().Be(2499, "a checkpoint binds only what it can be reached from");
    }

    [Fact]
    public void Retentions_that_touch_and_overlap_are_one()
    {
        var chain = Chain(100);
        var verifier = Verifier(out var findings);
        foreach (var (first, last) in new[] { (30L, 40L), (1L, 10L), (11L, 20L), (15L, 29L), (35L, 36L) })
        {
            verifier.AddRetention(new AuditRetention(null, [new AuditRange(first, last)], DateTimeOffset.UnixEpoch).Sign(_key, "a"));
        }

        verifier.AddCheckpoint(Checkpoint(chain, 100));
        chain[40..].ForEach(verifier.Add);

        var summary = verifier.Complete();
        findings.Should().BeEmpty();
        (summary.Dropped, summary.Entries, summary.NotYetCovered).Should().Be((40, 60, 0));
    }

    [Fact]
    public void What_was_signed_must_be_known_before_the_first_entry()
    {
        var chain = Chain(1);
        var verifier = Verifier(out _);
        verifier.Add(chain[0]);

        var add = () => verifier.AddCheckpoint(Checkpoint(chain, 1));

        add.Should().Throw<InvalidOperationException>();
    }

    [Fact]
    public void A_sequence_far_away_costs_nothing()
    {
        var far = Entry(AuditChain.LastSequence, AuditChain.Genesis);

        Verify([far], Checkpoint([far], AuditChain.LastSequence)).Findings.Should().ContainSingle().Which.Should()
            .BeEquivalentTo(new { Kind = AuditFindingKind.Deleted, Sequence = 1L, LastSequence = AuditChain.LastSequence - 1 });
    }

    public void Dispose()
    {
        _keys.Dispose();
        _key.Dispose();
    }

    private static JsonElement Entry(long sequence, string previous)
    {
        var entry = new JsonObject
        {
            ["sequence"] = sequence,
            ["previous_hash"] = previous,
            ["id"] = new Guid((int)sequence, 0, 0, [1, 0, 0, 0, 0, 0, 0, 0]),
            ["organization_id"] = null,
        };
        SignedExport.Hash(entry);
        return JsonSerializer.SerializeToElement(entry);
    }

    private static List<JsonElement> Chain(int count)
    {
        var (chain, previous) = (new List<JsonElement>(count), AuditChain.Genesis);
        for (var sequence = 1; sequence <= count; sequence++)
        {
            chain.Add(Entry(sequence, previous));
            previous = chain[^1].GetProperty("hash").GetString()!;
        }

        return chain;
    }

    private string Checkpoint(IReadOnlyList<JsonElement> chain, long sequence) =>
        new AuditCheckpoint(null, sequence, chain[^1].GetProperty("hash").GetString()!, DateTimeOffset.UnixEpoch).Sign(_key, "a");

    private AuditVerifier Verifier(out List<AuditFinding> findings)
    {
        findings = [];
        return new AuditVerifier(null, isFiltered: false, _keys, findings.Add);
    }

    private (List<AuditFinding> Findings, AuditSummary Summary) Verify(List<JsonElement> entries, string checkpoint)
    {
        var verifier = Verifier(out var findings);
        verifier.AddCheckpoint(checkpoint);
        entries.ForEach(verifier.Add);
        return (findings, verifier.Complete());
    }
}
