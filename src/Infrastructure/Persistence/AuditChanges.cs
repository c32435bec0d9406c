using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Vtp.Infrastructure.Persistence;

/// <summary>
/// What a save does to audited entities (<c>IsAudited()</c>), as
/// <c>[{"resource","resource_id","before":{...},"after":{...}}]</c> with the fields that differ. Hashes, sealed columns
/// and what is marked <c>IsRedacted()</c> show as <c>"[redacted]"</c>.
/// </summary>
internal static class AuditChanges
{
    public const string Audited = "vtp:audited";
    public const string Redacted = "vtp:redacted";

    private const string Hidden = "[redacted]";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter() },
    };

    public static string? Of(ChangeTracker tracker)
    {
        JsonArray? changes = null;
        foreach (var entry in tracker.Entries())
        {
            if (entry.State is EntityState.Added or EntityState.Modified or EntityState.Deleted
                && entry.Metadata.FindAnnotation(Audited)?.Value is string resource)
            {
                (changes ??= []).Add(Describe(entry, resource));
            }
        }

        return changes?.ToJsonString();
    }

    private static JsonObject Describe(EntityEntry entry, string resource)
    {
        var change = new JsonObject
        {
            ["resource"] = resource,
            ["resource_id"] = Value(entry.Metadata.FindPrimaryKey()!.Properties[0], entry.CurrentValues),
        };
        if (entry.State != EntityState.Added)
        {
            change["before"] = Fields(entry, entry.OriginalValues);
        }

        if (entry.State != EntityState.Deleted)
        {
            change["after"] = Fields(entry, entry.CurrentValues);
        }

        return change;
    }

    private static JsonObject Fields(EntityEntry entry, PropertyValues values)
    {
        var fields = new JsonObject();
        foreach (var property in entry.Metadata.GetProperties())
        {
            var counts = entry.State != EntityState.Modified || entry.Property(property).IsModified;
            if (counts && !property.IsPrimaryKey() && property.ValueGenerated == ValueGenerated.Never)
            {
                fields[property.GetColumnName()] = Value(property, values);
            }
        }

        return fields;
    }

    private static JsonNode? Value(IProperty property, PropertyValues values)
    {
        if (values[property] is not { } value)
        {
            return null;
        }

        if (property.ClrType == typeof(byte[]) || property.FindAnnotation(Redacted) is not null)
        {
            return Hidden;
        }

        var stored = property.GetValueConverter() is { } converter ? converter.ConvertToProvider(value) : value;
        return JsonSerializer.SerializeToNode(stored, Json);
    }
}
