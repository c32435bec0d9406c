using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Vtp.Domain.Audit;

namespace Vtp.Unit.Audit;

/// <summary>One thing that somebody might do to an export, and what must come of it.</summary>
/// <param name="Kind">The first finding's.</param>
/// <param name="Sequence">Where the first finding is; null where it is about a statement.</param>
/// <param name="KeepsCheckpoints">The customer has kept the checkpoints of before.</param>
internal sealed record Tampering(Action<SignedExport> Do, AuditFindingKind Kind, long? Sequence, bool KeepsCheckpoints = false)
{
    public static readonly IReadOnlyDictionary<string, Tampering> All = new Dictionary<string, Tampering>(StringComparer.Ordinal)
    {
        ["a text is edited"] = Edit(57, entry => entry["user_email"] = "other@school.example"),
        ["a status is edited"] = Edit(56, entry => entry["status"] = "Success"),
        ["a null becomes text"] = Edit(57, entry => entry["reason"] = "auth.forbidden"),
        ["a text becomes null"] = Edit(57, entry => entry["ip_address"] = null),
        ["a field is taken out"] = Edit(57, entry => entry.Remove("trace_id")),
        ["a field is put in"] = Edit(57, entry => entry["note"] = "approved"),
        ["a time is edited by a microsecond"] = Edit(57, entry => entry["timestamp"] = "2026-11-21T06:00:57.123457Z"),
        ["a nested number is edited"] = Edit(57, entry => entry["changes"]!["z"]![2] = 1.5000000000000002),
        ["a nested value moves to another name"] = Edit(57, entry => entry["changes"]!["\ufb33"] = new JsonObject { ["old"] = 57, ["new"] = null }),
        ["a letter is exchanged for one that looks the same"] = Edit(60, entry => entry["resource_name"] = "\u00dcn\u00efcode \u20ac \u05d0 \u00e9"),
        ["half of a surrogate pair is put in"] = Edit(57, entry => entry["user_agent"] = SignedExport.HalfPair),
        ["a hash is edited"] = Edit(57, entry => entry["hash"] = new string('a', 64)),
        ["a hash is written in capitals"] = Edit(57, entry => entry["hash"] = ((string)entry["hash"]!).ToUpperInvariant()),
        ["a hash is taken out"] = Edit(57, entry => entry.Remove("hash")),
        ["the first entry after a gap is edited"] = Edit(21, entry => entry["action"] = "project.created"),
        ["the newest entry is edited"] = Edit(200, entry => entry["action"] = "project.created"),
        ["an entry is edited and its own hash recomputed"] = new(
            export => Rehashed(export, 57, entry => entry["action"] = "project.created"), AuditFindingKind.Edited, 57),
        ["the newest entry is edited and its own hash recomputed"] = new(
            export => Rehashed(export, 200, entry => entry["action"] = "project.created"), AuditFindingKind.Rewritten, 181),
        ["the first entry after a gap is edited and its own hash recomputed"] = new(
            export => Rehashed(export, 101, entry => entry["action"] = "project.created"), AuditFindingKind.Edited, 101),
        ["an entry is edited and all hashes from there recomputed"] = new(
            export =>
            {
                export[57]["action"] = "project.created";
                export.RecomputeFrom(57);
            },
            AuditFindingKind.Rewritten,
            41),
        ["an entry is edited and all hashes recomputed, with a checkpoint of before kept elsewhere"] = new(
            export =>
            {
                export[157]["action"] = "project.created";
                export.RecomputeFrom(157);
                export.Checkpoints.RemoveAll(checkpoint => checkpoint.Sequence > 157);
            },
            AuditFindingKind.Rewritten,
            141,
            KeepsCheckpoints: true),
        ["what the first entry after a gap follows is edited and all hashes recomputed"] = new(
            export =>
            {
                export[21]["previous_hash"] = new string('b', 64);
                export.RecomputeFrom(21);
            },
            AuditFindingKind.Rewritten,
            21),
        ["an entry is inserted with its own right hash"] = new(
            export =>
            {
                var inserted = export.Entry(57, (string)export[57]["hash"]!);
                inserted["id"] = "0198c0de-0000-7000-8000-00000000beef";
                SignedExport.Hash(inserted);
                export.Entries.Insert(export.Entries.IndexOf(export[57]) + 1, inserted);
            },
            AuditFindingKind.Inserted,
            57),
        ["an entry is inserted before the one whose sequence it takes"] = new(
            export =>
            {
                var inserted = export.Entry(57, (string)export[56]["hash"]!);
                inserted["id"] = "0198c0de-0000-7000-8000-00000000beef";
                SignedExport.Hash(inserted);
                export.Entries.Insert(export.Entries.IndexOf(export[57]), inserted);
            },
            AuditFindingKind.Inserted,
            57),
        ["an entry is inserted without a hash of its own"] = new(
            export =>
            {
                var inserted = export[57].DeepClone().AsObject();
                inserted["action"] = "project.created";
                export.Entries.Insert(export.Entries.IndexOf(export[57]) + 1, inserted);
            },
            AuditFindingKind.Edited,
            57),
        ["an entry is there twice"] = new(
            export => export.Entries.Insert(export.Entries.IndexOf(export[57]) + 1, export[57].DeepClone().AsObject()), AuditFindingKind.Inserted, 57),
        ["an entry is repeated much later"] = new(export => export.Entries.Add(export[57].DeepClone().AsObject()), AuditFindingKind.Inserted, 57),
        ["an entry without a sequence is inserted"] = new(
            export =>
            {
                var inserted = export[57].DeepClone().AsObject();
                inserted["sequence"] = 57.5;
                SignedExport.Hash(inserted);
                export.Entries.Insert(export.Entries.IndexOf(export[57]) + 1, inserted);
            },
            AuditFindingKind.Inserted,
            null),
        ["an entry is invented where retention left a gap"] = new(
            export =>
            {
                var invented = export.Entry(95, new string('c', 64));
                SignedExport.Hash(invented);
                export.Entries.Insert(export.Entries.IndexOf(export[101]), invented);
            },
            AuditFindingKind.Inserted,
            95),
        ["an entry of another organization is taken over"] = new(
            export => Rehashed(export, 57, entry => entry["organization_id"] = Guid.Empty), AuditFindingKind.OtherOrganization, 57),
        ["one entry is deleted"] = new(export => export.Remove(57, 57), AuditFindingKind.Deleted, 57),
        ["the first entry after a gap is deleted"] = new(export => export.Remove(21, 21), AuditFindingKind.Deleted, 21),
        ["the entry before a gap is deleted"] = new(export => export.Remove(90, 90), AuditFindingKind.Deleted, 90),
        ["many entries are deleted"] = new(export => export.Remove(50, 120), AuditFindingKind.Deleted, 50),
        ["the statement of retention is taken out"] = new(export => export.Retentions.RemoveAt(1), AuditFindingKind.Deleted, 91),
        ["an entry is deleted and the rest renumbered"] = new(
            export =>
            {
                export.Remove(150, 150);
                for (var sequence = 151; sequence <= 200; sequence++)
                {
                    export[sequence]["sequence"] = sequence - 1L;
                }

                export.RecomputeFrom(150);
            },
            AuditFindingKind.Rewritten,
            141),
        ["two neighbours are exchanged"] = new(export => Exchange(export, 57, 58), AuditFindingKind.Reordered, 58),
        ["two distant entries are exchanged"] = new(export => Exchange(export, 57, 67), AuditFindingKind.Reordered, 67),
        ["an entry is moved to the end"] = new(
            export =>
            {
                var moved = export[57];
                export.Entries.Remove(moved);
                export.Entries.Add(moved);
            },
            AuditFindingKind.Reordered,
            57),
        ["the contents of two entries are exchanged"] = new(
            export =>
            {
                (export[57]["resource_id"], export[58]["resource_id"]) = ("p-58", "p-57");
            },
            AuditFindingKind.Edited,
            57),
        ["the contents of two entries are exchanged with their hashes"] = new(
            export =>
            {
                var (one, other) = (export[57], export[58]);
                (one["sequence"], other["sequence"]) = (58L, 57L);
                Exchange(export, 57, 58);
            },
            AuditFindingKind.Edited,
            57),
        ["the newest entry is cut off"] = new(export => export.Remove(200, 200), AuditFindingKind.CutOff, 200),
        ["the newest fifty are cut off"] = new(export => export.Remove(151, 200), AuditFindingKind.CutOff, 151),
        ["the newest entry is cut off with its checkpoint, one kept elsewhere"] = new(export => CutOff(export, 199), AuditFindingKind.CutOff, 200, KeepsCheckpoints: true),
        ["the newest fifty are cut off with their checkpoints, one kept elsewhere"] = new(export => CutOff(export, 150), AuditFindingKind.CutOff, 151, KeepsCheckpoints: true),
        ["everything is cut off, a checkpoint kept elsewhere"] = new(export => CutOff(export, 0), AuditFindingKind.CutOff, 21, KeepsCheckpoints: true),
        ["a checkpoint is signed with another key"] = new(
            export => Statement(export, other => new AuditCheckpoint(export.Organization, 200, (string)export[200]["hash"]!, DateTimeOffset.UnixEpoch).Sign(other, SignedExport.Kid)),
            AuditFindingKind.BadSignature,
            null),
        ["a checkpoint is signed with a key of another name"] = new(
            export => Statement(export, other => new AuditCheckpoint(export.Organization, 200, (string)export[200]["hash"]!, DateTimeOffset.UnixEpoch).Sign(other, "audit-2027")),
            AuditFindingKind.UnknownKey,
            null),
        ["a checkpoint is not signed at all"] = new(
            export => Statement(export, _ => $"{SignedExport.Base64($$"""{"alg":"none","kid":"{{SignedExport.Kid}}","typ":"vtp-audit-checkpoint"}""")}.{Payload(export)}."),
            AuditFindingKind.BadSignature,
            null),
        ["a checkpoint claims alg none and carries a signature"] = new(
            export => Statement(export, _ => $"{SignedExport.Base64($$"""{"alg":"none","kid":"{{SignedExport.Kid}}","typ":"vtp-audit-checkpoint"}""")}.{Payload(export)}.{export.Checkpoints[0].Jws.Split('.')[2]}"),
            AuditFindingKind.BadSignature,
            null),
        ["a checkpoint is an HMAC with the public key as its secret"] = new(
            export => Statement(export, _ =>
            {
                var input = $"{SignedExport.Base64($$"""{"alg":"HS256","kid":"{{SignedExport.Kid}}","typ":"vtp-audit-checkpoint"}""")}.{Payload(export)}";
                var code = HMACSHA256.HashData(Encoding.ASCII.GetBytes(export.Pem), Encoding.ASCII.GetBytes(input));
                return $"{input}.{SignedExport.Base64([.. code, .. code])}";
            }),
            AuditFindingKind.BadSignature,
            null),
        ["a checkpoint has a signature of zeros"] = new(
            export => Statement(export, _ => $"{export.Checkpoints[^1].Jws.Split('.')[0]}.{Payload(export)}.{SignedExport.Base64(new byte[64])}"),
            AuditFindingKind.BadSignature,
            null),
        ["a checkpoint's payload is exchanged"] = new(
            export => Statement(export, _ => $"{export.Checkpoints[^1].Jws.Split('.')[0]}.{Payload(export)}.{export.Checkpoints[^1].Jws.Split('.')[2]}"),
            AuditFindingKind.BadSignature,
            null),
        ["a retention passes for a checkpoint"] = new(export => Statement(export, _ => export.Retentions[0]), AuditFindingKind.BadSignature, null),
        ["a checkpoint passes for a retention"] = new(export => export.Retentions.Add(export.Checkpoints[0].Jws), AuditFindingKind.BadSignature, null),
        ["a checkpoint of another organization is taken over"] = new(
            export => Statement(export, _ => new AuditCheckpoint(null, 200, (string)export[200]["hash"]!, DateTimeOffset.UnixEpoch).Sign(export.Key, SignedExport.Kid)),
            AuditFindingKind.OtherOrganization,
            null),
        ["a deletion is covered by a retention that somebody else signed"] = new(
            export =>
            {
                using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                export.Remove(57, 57);
                export.Retentions.Add(new AuditRetention(export.Organization, [new AuditRange(57, 57)], DateTimeOffset.UnixEpoch).Sign(other, SignedExport.Kid));
            },
            AuditFindingKind.BadSignature,
            null),
        ["two checkpoints contradict each other"] = new(
            export => Statement(export, _ => new AuditCheckpoint(export.Organization, 200, new string('d', 64), DateTimeOffset.UnixEpoch).Sign(export.Key, SignedExport.Kid)),
            AuditFindingKind.Rewritten,
            181),
        ["the export claims to be another organization's"] = new(export => export.Header["organization_id"] = Guid.Empty, AuditFindingKind.OtherOrganization, null),
    };

    private static Tampering Edit(long sequence, Action<JsonObject> edit) => new(export => edit(export[sequence]), AuditFindingKind.Edited, sequence);

    private static void Rehashed(SignedExport export, long sequence, Action<JsonObject> edit)
    {
        edit(export[sequence]);
        SignedExport.Hash(export[sequence]);
    }

    private static void Exchange(SignedExport export, long one, long other)
    {
        var (first, second) = (export.Entries.IndexOf(export[one]), export.Entries.IndexOf(export[other]));
        (export.Entries[first], export.Entries[second]) = (export.Entries[second], export.Entries[first]);
    }

    private static void CutOff(SignedExport export, long last)
    {
        export.Remove(last + 1, 200);
        export.Checkpoints.RemoveAll(checkpoint => checkpoint.Sequence > last);
    }

    private static void Statement(SignedExport export, Func<ECDsa, string> sign)
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        export.Checkpoints.Add((200, sign(other)));
    }

    private static string Payload(SignedExport export) =>
        SignedExport.Base64(new AuditCheckpoint(export.Organization, 190, (string)export[190]["hash"]!, DateTimeOffset.UnixEpoch).ToPayload());
}
