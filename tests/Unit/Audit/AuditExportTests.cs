using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vtp.Domain.Audit;

namespace Vtp.Unit.Audit;

public sealed class AuditExportTests
{
    public static TheoryData<string> Tamperings => [.. Tampering.All.Keys];

    [Fact]
    public void A_genuine_export_is_clean_and_everything_in_it_is_covered()
    {
        using var export = SignedExport.New();

        var (summary, findings) = Verify(export);

        findings.Should().BeEmpty();
        summary.Should().Be(new AuditSummary(170, 21, 200, 30, 11, 200, DateTimeOffset.Parse("2026-11-21T06:03:20Z"), 0, 0, 0));
    }

    [Theory]
    [MemberData(nameof(Tamperings))]
    public void What_was_tampered_with_is_found_and_located(string name)
    {
        var tampering = Tampering.All[name];
        using var export = SignedExport.New();
        var kept = tampering.KeepsCheckpoints ? export.Checkpoints.ConvertAll(checkpoint => checkpoint.Jws) : [];
        tampering.Do(export);

        var (summary, findings) = Verify(export, kept);

        findings.Should().NotBeEmpty();
        findings[0].Kind.Should().Be(tampering.Kind, findings[0].Sentence);
        findings[0].Sequence.Should().Be(tampering.Sequence, findings[0].Sentence);
        findings.Should().OnlyContain(finding => finding.Sentence.EndsWith('.') && !finding.Sentence.Contains('\n'));
        summary.Findings.Should().Be(findings.Count);
    }

    [Theory]
    [InlineData("a text is edited", 1)]
    [InlineData("a hash is edited", 1)]
    [InlineData("an entry is edited and its own hash recomputed", 1)]
    [InlineData("an entry is edited and all hashes from there recomputed", 1)]
    [InlineData("an entry is inserted with its own right hash", 1)]
    [InlineData("an entry is inserted before the one whose sequence it takes", 1)]
    [InlineData("an entry is there twice", 1)]
    [InlineData("an entry is invented where retention left a gap", 1)]
    [InlineData("one entry is deleted", 1)]
    [InlineData("two neighbours are exchanged", 1)]
    [InlineData("two distant entries are exchanged", 2)]
    [InlineData("an entry is moved to the end", 1)]
    [InlineData("the contents of two entries are exchanged", 2)]
    [InlineData("the newest fifty are cut off", 1)]
    public void One_deed_gives_no_flood_of_findings(string name, int count)
    {
        using var export = SignedExport.New();
        Tampering.All[name].Do(export);

        Verify(export).Findings.Should().HaveCount(count);
    }

    [Fact]
    public void No_byte_of_an_entry_can_be_exchanged()
    {
        using var export = SignedExport.New(20);
        using var keys = AuditKeys.Parse(export.Jwks);
        var genuine = Encoding.UTF8.GetBytes(export.Text());
        (export.Text().Contains('\u2028') && export.Text().Contains("🎬")).Should().BeTrue("not everything is written with escapes");
        var from = 0;
        foreach (var line in export.Text().Split('\n').Take(4))
        {
            var length = Encoding.UTF8.GetByteCount(line);
            for (var index = from; index < from + length && from > 0; index++)
            {
                foreach (var other in new byte[] { (byte)'"', (byte)' ', 0xff, (byte)(genuine[index] ^ 1), (byte)(genuine[index] ^ 0x20) })
                {
                    var changed = genuine.ToArray();
                    changed[index] = other;
                    (changed.AsSpan().SequenceEqual(genuine) || !IsClean(changed) || IsAnotherSpelling(changed, from, length)).Should().BeTrue(
                        "byte {0} became {1}", index, other);
                }
            }

            from += length + 1;
        }

        bool IsClean(byte[] bytes)
        {
            try
            {
                return AuditExport.Verify(new MemoryStream(bytes), keys, [], _ => { }).Summary.Findings == 0;
            }
            catch (AuditExportFault)
            {
                return false;
            }
        }

        // \u20AC and \u20ac are one letter.
        bool IsAnotherSpelling(byte[] bytes, int start, int length)
        {
            using var one = JsonDocument.Parse(bytes.AsMemory(start, length));
            using var other = JsonDocument.Parse(genuine.AsMemory(start, length));
            return CanonicalJson.Of(one.RootElement).AsSpan().SequenceEqual(CanonicalJson.Of(other.RootElement));
        }
    }

    [Fact]
    public void A_deletion_names_both_ends_and_leaves_out_what_retention_dropped()
    {
        using var export = SignedExport.New();
        export.Remove(50, 120);

        Verify(export).Findings.Select(finding => (finding.Kind, finding.Sequence, finding.LastSequence)).Should().Equal(
            (AuditFindingKind.Deleted, 50, 90), (AuditFindingKind.Deleted, 101, 120));
    }

    [Fact]
    public void The_first_entry_of_a_chain_cannot_be_taken_away()
    {
        using var export = SignedExport.New(30);
        Verify(export).Findings.Should().BeEmpty();

        export.Remove(1, 1);

        Verify(export).Findings.Should().ContainSingle().Which.Should().BeEquivalentTo(new { Kind = AuditFindingKind.Deleted, Sequence = 1L });
    }

    [Fact]
    public void The_first_entry_of_a_chain_follows_nothing()
    {
        using var export = SignedExport.New(15);
        export[1]["previous_hash"] = new string('e', 64);
        export.RecomputeFrom(1);

        Verify(export).Findings.Should().ContainSingle().Which.Should().BeEquivalentTo(new { Kind = AuditFindingKind.Edited, Sequence = 1L });
    }

    [Fact]
    public void Entries_after_the_last_checkpoint_are_counted_and_no_fault()
    {
        using var export = SignedExport.New(50);

        var (summary, findings) = Verify(export);

        findings.Should().BeEmpty();
        (summary.LastCheckpoint, summary.NotYetCovered, summary.Unbound).Should().Be((40, 10, 0));
    }

    [Fact]
    public void Entries_before_a_gap_without_a_checkpoint_of_their_own_are_counted()
    {
        using var export = SignedExport.New(100);
        export.Drop(51, 55);

        var (summary, findings) = Verify(export);

        findings.Should().BeEmpty();
        (summary.Unbound, summary.NotYetCovered, summary.Dropped).Should().Be((10, 0, 5));
    }

    [Fact]
    public void A_checkpoint_does_not_reach_back_over_a_broken_link()
    {
        using var export = SignedExport.New();
        Tampering.All["an entry is edited and its own hash recomputed"].Do(export);

        Verify(export).Summary.Unbound.Should().Be(17, "the checkpoint before is at 40, and the link from 57 to 58 is broken");
    }

    [Fact]
    public void A_cut_that_took_its_checkpoints_with_it_needs_one_that_was_kept()
    {
        using var export = SignedExport.New();
        var kept = export.Checkpoints[^1].Jws;
        export.Remove(151, 200);
        export.Checkpoints.RemoveAll(checkpoint => checkpoint.Sequence > 150);

        Verify(export).Findings.Should().BeEmpty();
        Verify(export, [kept]).Findings.Should().ContainSingle().Which.Should()
            .BeEquivalentTo(new { Kind = AuditFindingKind.CutOff, Sequence = 151L, LastSequence = 200L });
    }

    [Fact]
    public void A_chain_that_retention_emptied_is_clean()
    {
        using var export = SignedExport.New();
        export.Drop(1, 200);

        var (summary, findings) = Verify(export);

        findings.Should().BeEmpty();
        (summary.Entries, summary.Dropped).Should().Be((0, 200));
    }

    [Fact]
    public void In_a_filtered_export_gaps_are_not_judged_and_each_entry_still_is()
    {
        using var export = SignedExport.New();
        export.Header["filters"] = new JsonObject { ["action"] = "project.updated" };
        export.Entries.RemoveAll(entry => (long)entry["sequence"]! % 3 != 0);
        Verify(export).Findings.Should().BeEmpty();

        export[57]["action"] = "project.created";
        Verify(export).Findings.Should().ContainSingle().Which.Should().BeEquivalentTo(new { Kind = AuditFindingKind.Edited, Sequence = 57L });

        SignedExport.Hash(export[57]);
        export[60]["action"] = "project.created";
        SignedExport.Hash(export[60]);
        Verify(export).Findings.Should().ContainSingle("a checkpoint names 60 and none names 57").Which.Kind.Should().Be(AuditFindingKind.Rewritten);
    }

    [Fact]
    public void The_chain_without_an_organization_is_verified_alike()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var keys = AuditKeys.Parse(key.ExportSubjectPublicKeyInfoPem());
        var entry = JsonNode.Parse($$"""{"type":"entry","sequence":1,"previous_hash":"{{AuditChain.Genesis}}","organization_id":null}""")!.AsObject();
        var checkpoint = new AuditCheckpoint(null, 1, SignedExport.Hash(entry), DateTimeOffset.UnixEpoch).Sign(key, "any");
        var findings = new List<AuditFinding>();

        var (_, summary) = AuditExport.Verify(
            Stream($$$"""
                {"type":"export","version":1,"organization_id":null,"exported_at":"2026-11-21T09:00:00Z","filters":{}}
                {{{entry.ToJsonString()}}}
                {"type":"checkpoint","jws":"{{{checkpoint}}}"}
                """),
            keys,
            [],
            findings.Add);

        findings.Should().BeEmpty();
        (summary.Checkpoints, summary.NotYetCovered).Should().Be((1, 0));
    }

    [Theory]
    [InlineData("", "The export is empty: not even its export line is there.")]
    [InlineData("\n\n", "The export is empty: not even its export line is there.")]
    [InlineData("PK\u0003\u0004", "Line 1 of the export is not one JSON object*")]
    [InlineData("[1]", "Line 1 of the export is not one JSON object*")]
    [InlineData("{\"type\":\"entry\"}", "The export does not begin with its export line*")]
    [InlineData("{\"type\":\"export\",\"version\":2}", "The export is not of version 1*")]
    [InlineData("{\"type\":\"export\",\"version\":\"1\"}", "The export is not of version 1*")]
    [InlineData("{\"type\":\"export\",\"version\":1}", "The export line needs*")]
    [InlineData("{\"type\":\"export\",\"type\":\"entry\"}", "Line 1 of the export is not one JSON object*")]
    [InlineData("{\"\\ud800\":1,\"\\ud800\":1}", "Line 1 of the export*")]
    [InlineData("{\"type\":\"\\ud800\"}", "The export does not begin with its export line*")]
    public void What_is_no_export_is_one_sentence(string text, string sentence)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var keys = AuditKeys.Parse(key.ExportSubjectPublicKeyInfoPem());

        var verify = () => AuditExport.Verify(Stream(text), keys, [], _ => { });

        verify.Should().Throw<AuditExportFault>().WithMessage(sentence);
    }

    [Theory]
    [InlineData("{\"type\":\"entry\",\"seq", "Line 185 of the export is not one JSON object*")]
    [InlineData("{\"type\":\"entry\",\"action\":\"a\",\"action\":\"b\"}", "Line 185 of the export is not one JSON object with each name once*")]
    [InlineData("{\"type\":\"checkpoint\"}", "Line 185 of the export has no jws.")]
    [InlineData("{\"type\":\"note\"}", "Line 185 of the export is of a type that version 1 does not have.")]
    [InlineData("{\"changes\":{\"\\ud800\":1}}", "Line 185*")]
    public void A_line_that_cannot_be_read_is_named(string tail, string sentence)
    {
        using var export = SignedExport.New();
        export.Tail = tail;

        var verify = () => Verify(export);

        verify.Should().Throw<AuditExportFault>().WithMessage(sentence);
    }

    [Fact]
    public void Wherever_the_file_is_cut_within_a_line_it_is_not_clean()
    {
        using var export = SignedExport.New(25);
        using var keys = AuditKeys.Parse(export.Jwks);
        var bytes = Encoding.UTF8.GetBytes(export.Text());

        for (var length = 1; length < bytes.Length; length += 97)
        {
            if (bytes[length] == '\n' || bytes[length - 1] == '\n')
            {
                continue;
            }

            var verify = () => AuditExport.Verify(new MemoryStream(bytes[..length]), keys, [], _ => { });
            verify.Should().Throw<AuditExportFault>();
        }
    }

    [Fact]
    public void A_line_without_end_does_not_fill_the_memory()
    {
        using var export = SignedExport.New(15);
        export.Tail = $$"""{"type":"entry","action":"{{new string('a', 17 * 1024 * 1024)}}"}""";

        var verify = () => Verify(export);

        verify.Should().Throw<AuditExportFault>().WithMessage("The export has a line of more than 16 MiB*");
    }

    private static MemoryStream Stream(string text) => new(Encoding.UTF8.GetBytes(text));

    private static (AuditSummary Summary, List<AuditFinding> Findings) Verify(SignedExport export, IReadOnlyList<string>? kept = null)
    {
        var findings = new List<AuditFinding>();
        using var keys = AuditKeys.Parse(export.Jwks);
        var (_, summary) = AuditExport.Verify(Stream(export.Text()), keys, (kept ?? []).Select(jws => (jws, "A kept checkpoint")), findings.Add);
        return (summary, findings);
    }
}
