using System.Text.Encodings.Web;
using System.Text.Json;
using Npgsql;
using Vtp.Application.Audit;
using Vtp.Domain.Audit;

namespace Vtp.Infrastructure.Audit;

/// <summary>An entry as the table has it, in the one order of columns that all readers of the trail use.</summary>
internal readonly struct AuditRow(NpgsqlDataReader reader)
{
    public const string Columns =
        "id, organization_id, project_id, action, outcome, reason, actor_type, actor_id, actor_name, target_id, target_name, "
        + "ip_address, user_agent, trace_id, changes, occurred_at, kept_until, sequence, previous_hash, hash";

    /// <summary>For those who judge the mark too.</summary>
    public const string MarkedColumns = $"{Columns}, mark";

    /// <summary>Nothing of it is ever put into a page.</summary>
    public static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public Guid Id => reader.GetGuid(0);

    public Guid? OrganizationId => Uuid(1);

    public Guid? ProjectId => Uuid(2);

    public string Action => reader.GetString(3);

    public string Outcome => reader.GetString(4);

    public string? Reason => Text(5);

    public string ActorType => reader.GetString(6);

    public Guid? ActorId => Uuid(7);

    public string? ActorName => Text(8);

    public Guid? TargetId => Uuid(9);

    public string? TargetName => Text(10);

    public string? IpAddress => Text(11);

    public string? UserAgent => Text(12);

    public string? TraceId => Text(13);

    public string? Changes => Text(14);

    public string Status => AuditWords.Status(IsRefused ? AuditOutcome.Refused : AuditOutcome.Succeeded);

    public DateTimeOffset OccurredAt => reader.GetFieldValue<DateTimeOffset>(15);

    public DateTimeOffset KeptUntil => reader.GetFieldValue<DateTimeOffset>(16);

    /// <summary>Of <see cref="MarkedColumns"/>.</summary>
    public byte[]? Mark => reader.IsDBNull(20) ? null : reader.GetFieldValue<byte[]>(20);

    private bool IsRefused => Outcome == AuditWords.Stored(AuditOutcome.Refused);

    public AuditEntryView ToView() => new(
        Id,
        OrganizationId,
        ProjectId,
        ActorName,
        Enum.Parse<ActorType>(ActorType, ignoreCase: true),
        ActorId,
        Action,
        AuditActions.ResourceOf(Action),
        TargetId,
        TargetName,
        IpAddress,
        UserAgent,
        TraceId,
        IsRefused ? AuditOutcome.Refused : AuditOutcome.Succeeded,
        Reason,
        Changes is { } changes ? JsonSerializer.Deserialize<JsonElement>(changes) : null,
        OccurredAt,
        reader.IsDBNull(17) ? null : reader.GetInt64(17),
        Hex(19));

    /// <summary>The line of an export, which is also what is hashed; docs/audit-proof.md describes it.</summary>
    public void Write(Utf8JsonWriter json) =>
        Write(json, reader.IsDBNull(17) ? null : reader.GetInt64(17), Hex(18), Hex(19));

    /// <summary>The same, of an entry that is about to get its place.</summary>
    public void Write(Utf8JsonWriter json, long? sequence, string? previousHash, string? hash)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "entry"u8);
        if (sequence is { } place)
        {
            json.WriteNumber("sequence"u8, place);
        }
        else
        {
            json.WriteNull("sequence"u8);
        }

        json.WriteString("previous_hash"u8, previousHash);
        json.WriteString("hash"u8, hash);
        json.WriteString("id"u8, Id);
        Write(json, "organization_id"u8, OrganizationId);
        Write(json, "project_id"u8, ProjectId);
        json.WriteString("action"u8, Action);

        // As it stands in the table, so that a word that nobody of us wrote gives another hash.
        json.WriteString("status"u8, Outcome switch { "succeeded" => "Success", "refused" => "Failed", var other => other });
        json.WriteString("reason"u8, Reason);
        json.WriteString("actor_type"u8, ActorType);
        Write(json, "actor_id"u8, ActorId);
        json.WriteString("user_email"u8, ActorName);
        json.WriteString("resource"u8, AuditActions.ResourceOf(Action));
        Write(json, "resource_id"u8, TargetId);
        json.WriteString("resource_name"u8, TargetName);
        json.WriteString("ip_address"u8, IpAddress);
        json.WriteString("user_agent"u8, UserAgent);
        json.WriteString("trace_id"u8, TraceId);
        json.WritePropertyName("changes"u8);
        if (Changes is { } changes)
        {
            json.WriteRawValue(changes);
        }
        else
        {
            json.WriteNullValue();
        }

        json.WriteString("timestamp"u8, AuditChain.Timestamp(OccurredAt));
        json.WriteString("kept_until"u8, AuditChain.Timestamp(KeptUntil));
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, Guid? id)
    {
        if (id is { } known)
        {
            json.WriteString(name, known);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private Guid? Uuid(int column) => reader.IsDBNull(column) ? null : reader.GetGuid(column);

    private string? Hex(int column) => reader.IsDBNull(column) ? null : Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(column));
}
