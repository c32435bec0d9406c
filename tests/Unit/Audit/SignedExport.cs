using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vtp.Domain.Audit;

namespace Vtp.Unit.Audit;

/// <summary>
/// A genuine export, in pieces that can be tampered with: by default 200 entries, of which 1 to 20 and 91 to 100 were
/// dropped by retention, with a checkpoint at every twentieth entry and before the gap.
/// </summary>
internal sealed class SignedExport : IDisposable
{
    public const string Kid = "audit-2026";

    /// <summary>Is written as half of a surrogate pair, which no JSON writer of .NET can be brought to write.</summary>
    public const string HalfPair = "half-pair";

    private static readonly DateTimeOffset Start = new(2026, 11, 21, 6, 0, 0, TimeSpan.Zero);
    private static readonly JsonSerializerOptions Raw = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private SignedExport(int count)
    {
        var previous = AuditChain.Genesis;
        for (var sequence = 1; sequence <= count; sequence++)
        {
            var entry = Entry(sequence, previous);
            Entries.Add(entry);
            previous = Hash(entry);
        }
    }

    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public Guid Organization { get; } = Guid.Parse("0198c0de-0000-7000-8000-000000000001");

    public JsonObject Header { get; private set; } = [];

    public List<JsonObject> Entries { get; } = [];

    public List<string> Retentions { get; } = [];

    public List<(long Sequence, string Jws)> Checkpoints { get; } = [];

    /// <summary>Added after the last line as it is.</summary>
    public string Tail { get; set; } = "";

    public string Jwks => Json(new { keys = new[] { Jwk } });

    public string Pem => Key.ExportSubjectPublicKeyInfoPem();

    public object Jwk => JwkOf(Key, Kid);

    public static SignedExport New(int count = 200)
    {
        var export = new SignedExport(count);
        export.Header = new JsonObject
        {
            ["type"] = "export",
            ["version"] = 1,
            ["organization_id"] = export.Organization,
            ["exported_at"] = "2026-11-21T09:00:00Z",
            ["filters"] = new JsonObject(),
        };
        for (var sequence = 20; sequence <= count; sequence += sequence is 80 or 90 ? 10 : 20)
        {
            export.Checkpoint(sequence);
        }

        if (count == 200)
        {
            export.Drop(1, 20);
            export.Drop(91, 100);
        }

        return export;
    }

    public static object JwkOf(ECDsa key, string kid)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return new { kty = "EC", crv = "P-256", x = Base64(point.X!), y = Base64(point.Y!), kid, use = "sig", alg = "ES256" };
    }

    public static string Base64(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    public static string Base64(string text) => Base64(Encoding.UTF8.GetBytes(text));

    public static string Json(object value) => JsonSerializer.Serialize(value);

    /// <summary>As the entry's own hash is computed, and put into it.</summary>
    public static string Hash(JsonObject entry)
    {
        var hash = AuditChain.HashOf(JsonSerializer.SerializeToElement(entry));
        entry["hash"] = hash;
        return hash;
    }

    public JsonObject this[long sequence] => Entries.Single(entry => (long)entry["sequence"]! == sequence);

    public void Checkpoint(long sequence) =>
        Checkpoints.Add((sequence, new AuditCheckpoint(Organization, sequence, (string)this[sequence]["hash"]!, Start.AddSeconds(sequence)).Sign(Key, Kid)));

    public void Drop(long first, long last)
    {
        Entries.RemoveAll(entry => (long)entry["sequence"]! >= first && (long)entry["sequence"]! <= last);
        Retentions.Add(new AuditRetention(Organization, [new AuditRange(first, last)], Start.AddDays(1)).Sign(Key, Kid));
    }

    public void Remove(long first, long last) =>
        Entries.RemoveAll(entry => (long)entry["sequence"]! >= first && (long)entry["sequence"]! <= last);

    /// <summary>What somebody with the database, but without the key, would do after an edit.</summary>
    public void RecomputeFrom(long sequence)
    {
        for (var index = Entries.FindIndex(entry => (long)entry["sequence"]! == sequence); index < Entries.Count; index++)
        {
            if (index > 0 && (long)Entries[index]["sequence"]! == (long)Entries[index - 1]["sequence"]! + 1)
            {
                Entries[index]["previous_hash"] = (string)Entries[index - 1]["hash"]!;
            }

            Hash(Entries[index]);
        }
    }

    public JsonObject Entry(long sequence, string previous) => new()
    {
        ["type"] = "entry",
        ["sequence"] = sequence,
        ["previous_hash"] = previous,
        ["id"] = $"0198c0de-0000-7000-8000-{sequence:x12}",
        ["organization_id"] = Organization,
        ["project_id"] = sequence % 3 == 0 ? null : Guid.Parse("0198c0de-0000-7000-9000-000000000001"),
        ["action"] = "project.updated",
        ["status"] = sequence % 7 == 0 ? "Failed" : "Success",
        ["reason"] = sequence % 7 == 0 ? "auth.forbidden" : null,
        ["actor_type"] = sequence % 5 == 0 ? "key" : "user",
        ["actor_id"] = Guid.Parse("0198c0de-0000-7000-a000-000000000001"),
        ["user_email"] = "noor@school.example",
        ["resource"] = "project",
        ["resource_id"] = $"p-{sequence}",
        ["resource_name"] = (sequence % 4) switch
        {
            0 => "Ünïcode \u20ac \u05d0 e\u0301",
            1 => "🎬 film 👩‍🏫",
            2 => "line\nbreak\ttab \u0000\u001f\u007f \"quoted\" \\ / <&'+> \u2028\u2029",
            _ => "plain",
        },
        ["ip_address"] = "2001:db8::1",
        ["user_agent"] = "Mozilla/5.0",
        ["trace_id"] = $"{sequence:x32}",
        ["changes"] = sequence % 2 == 0
            ? null
            : new JsonObject
            {
                ["z"] = new JsonArray(1, -0.0, 1.50, 1e21, 1e-7, 0.1 + 0.2, true, null, new JsonObject { ["€"] = "\r", ["\r"] = 0 }),
                ["\ud83d\ude00"] = "after the basic plane, before \ufb33 by code units",
                ["\ufb33"] = new JsonObject { ["old"] = null, ["new"] = sequence },
                [""] = new JsonObject(),
            },
        ["timestamp"] = AuditChain.Timestamp(Start.AddSeconds(sequence).AddTicks(1234560)),
        ["kept_until"] = AuditChain.Timestamp(Start.AddSeconds(sequence).AddTicks(1234560).AddDays(365)),
    };

    public string Text()
    {
        var text = new StringBuilder().Append(Header.ToJsonString()).Append('\n');
        for (var index = 0; index < Entries.Count; index++)
        {
            // Both spellings that JSON has for one text; the raw one with what some readers take for a line end, too.
            text.Append(index % 3 == 0
                ? Entries[index].ToJsonString()
                : Entries[index].ToJsonString(Raw).Replace("\\u2028", "\u2028").Replace("\\uD83C\\uDFAC", "🎬")).Append('\n');
        }

        foreach (var jws in Retentions)
        {
            text.Append(CultureInfo.InvariantCulture, $$"""{"type":"retention","jws":"{{jws}}"}""").Append('\n');
        }

        foreach (var (_, jws) in Checkpoints)
        {
            text.Append(CultureInfo.InvariantCulture, $$"""{"type":"checkpoint","jws":"{{jws}}"}""").Append('\n');
        }

        return text.Append(Tail).Replace(HalfPair, "\\ud800").ToString();
    }

    public void Dispose() => Key.Dispose();
}
