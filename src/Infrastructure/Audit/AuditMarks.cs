using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Vtp.Application.Audit;
using Vtp.Domain.Audit;

namespace Vtp.Infrastructure.Audit;

/// <summary>
/// Tells an entry that VTP wrote from one that somebody put into the table: HMAC-SHA-256 over what was written, by a key
/// that is derived from those which sign the trail. Whoever can only write SQL cannot make one.
/// </summary>
internal sealed class AuditMarks(AuditSigningKeys keys)
{
    public void Mark(AuditEntry entry) => entry.MarkWith(keys.Mac(Form(entry)));

    public bool IsRight(AuditRow row)
    {
        if (row.Mark is not { } mark)
        {
            return false;
        }

        try
        {
            return keys.IsMac(mark, Form(row));
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            return false; // VTP writes no changes without a canonical form, nor any that nest so deeply.
        }
    }

    internal static ReadOnlySpan<byte> Form(AuditRow row) => Form(
        row.Id,
        row.OrganizationId,
        row.ProjectId,
        row.Action,
        row.Outcome,
        row.Reason,
        row.ActorType,
        row.ActorId,
        row.ActorName,
        row.TargetId,
        row.TargetName,
        row.IpAddress,
        row.UserAgent,
        row.TraceId,
        Canonical(row.Changes),
        row.OccurredAt,
        row.KeptUntil);

    private static ReadOnlySpan<byte> Form(AuditEntry entry) => Form(
        entry.Id,
        entry.OrganizationId?.Value,
        entry.ProjectId?.Value,
        entry.Action,
        AuditWords.Stored(entry.Outcome),
        entry.Reason,
        AuditWords.Stored(entry.ActorType),
        entry.ActorId,
        entry.ActorName,
        entry.TargetId,
        entry.TargetName,
        entry.IpAddress,
        entry.UserAgent,
        entry.TraceId,
        Canonical(entry.Changes),
        entry.OccurredAt,
        entry.KeptUntil);

    /// <summary>JSONB does not keep the text that was written.</summary>
    private static byte[]? Canonical(string? json)
    {
        if (json is null)
        {
            return null;
        }

        using var document = JsonDocument.Parse(json);
        return CanonicalJson.Of(document.RootElement);
    }

    /// <summary>Each field with its length before it, so that no two entries have one form.</summary>
    private static ReadOnlySpan<byte> Form(
        Guid id,
        Guid? organization,
        Guid? project,
        string action,
        string outcome,
        string? reason,
        string actorType,
        Guid? actor,
        string? actorName,
        Guid? target,
        string? targetName,
        string? ipAddress,
        string? userAgent,
        string? traceId,
        byte[]? changes,
        DateTimeOffset occurredAt,
        DateTimeOffset keptUntil)
    {
        var form = new ArrayBufferWriter<byte>(512);
        Uuid(id);
        Uuid(organization);
        Uuid(project);
        Text(action);
        Text(outcome);
        Text(reason);
        Text(actorType);
        Uuid(actor);

        // A person's is filled in by the table; the mark holds their id.
        Text(actorType == AuditWords.Stored(ActorType.User) ? null : actorName);
        Uuid(target);
        Text(targetName);
        Text(ipAddress);
        Text(userAgent);
        Text(traceId);
        Field(changes, changes is null);
        Time(occurredAt);
        Time(keptUntil);
        return form.WrittenSpan;

        void Uuid(Guid? value)
        {
            Span<byte> bytes = stackalloc byte[16];
            value.GetValueOrDefault().TryWriteBytes(bytes, bigEndian: true, out _);
            Field(bytes, value is null);
        }

        void Text(string? value) => Field(value is null ? [] : Encoding.UTF8.GetBytes(value), value is null);

        void Time(DateTimeOffset value)
        {
            Span<byte> bytes = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64BigEndian(bytes, value.UtcTicks);
            Field(bytes, isNull: false);
        }

        void Field(ReadOnlySpan<byte> value, bool isNull)
        {
            BinaryPrimitives.WriteInt32BigEndian(form.GetSpan(sizeof(int)), isNull ? -1 : value.Length);
            form.Advance(sizeof(int));
            if (!isNull)
            {
                form.Write(value);
            }
        }
    }
}
