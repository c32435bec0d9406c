using System.Text.Json.Serialization;
using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Domain.Tenancy.Organizations;

public enum Plan
{
    [JsonStringEnumMemberName("Free")]
    Free,

    [JsonStringEnumMemberName("Pro")]
    Pro,

    [JsonStringEnumMemberName("Enterprise")]
    Enterprise,
}

/// <summary>A school, or whoever else runs projects: the tenant. Everything that is not an account belongs to one.</summary>
public sealed class Organization : Aggregate
{
    public const int DefaultAuditRetentionDays = 365;
    public const int MinimumAuditRetentionDays = 30;
    public const int MaximumAuditRetentionDays = 3650;

    private Organization(OrganizationId id, string name, EmailAddress adminEmail, Plan plan, DateTimeOffset createdAt) =>
        (Id, Name, AdminEmail, Plan, CreatedAt, UpdatedAt) = (id, name, adminEmail, plan, createdAt, createdAt);

    public OrganizationId Id { get; private set; }

    public string Name { get; private set; }

    /// <summary>Where bills and notices go. One living organization an address.</summary>
    public EmailAddress AdminEmail { get; private set; }

    public Plan Plan { get; private set; }

    /// <summary>For how long entries of the trail that are written from now on are kept.</summary>
    public int AuditRetentionDays { get; private set; } = DefaultAuditRetentionDays;

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset UpdatedAt { get; private set; }

    public DateTimeOffset? DeletedAt { get; private set; }

    public static Organization Found(string name, EmailAddress adminEmail, Plan plan, DateTimeOffset now)
    {
        var organization = new Organization(OrganizationId.New(now), name.Trim(), adminEmail, plan, now);
        organization.Raise(new OrganizationEvents.Created(organization.Id.Value, organization.Name, plan));
        return organization;
    }

    public override EventSource Source() => new(Id, Project: null, Id.ToString());

    public void Change(string? name, Plan? plan, int? auditRetentionDays, DateTimeOffset now)
    {
        (Name, Plan, AuditRetentionDays, UpdatedAt) = (name?.Trim() ?? Name, plan ?? Plan, auditRetentionDays ?? AuditRetentionDays, now);
        Raise(new OrganizationEvents.Updated(Id.Value, Name, Plan));
    }

    public void Delete(DateTimeOffset now)
    {
        (DeletedAt, UpdatedAt) = (now, now);
        Raise(new OrganizationEvents.Deleted(Id.Value, Name));
    }

    public Refusal? Restore(DateTimeOffset now)
    {
        var refusal = SoftDelete.Undo(DeletedAt, now);
        if (refusal is null)
        {
            (DeletedAt, UpdatedAt) = (null, now);
            Raise(new OrganizationEvents.Restored(Id.Value, Name));
        }

        return refusal;
    }
}

public static class OrganizationRefusals
{
    public static readonly Refusal NotFound =
        new(RefusalKind.NotFound, "organization.not_found", "There is no such organization.");

    public static readonly Refusal AddressTaken =
        new(RefusalKind.Conflict, "organization.address_taken", "Another organization uses this admin_email.")
        {
            Errors = new Dictionary<string, string[]>(StringComparer.Ordinal) { ["admin_email"] = ["Another organization uses this address."] },
        };

    public static readonly Refusal SeatsTaken =
        new(RefusalKind.Conflict, "organization.seats_taken", "Every seat of the organization's plan is taken.");

    public static readonly Refusal TooMany =
        new(RefusalKind.Conflict, "organization.too_many", "You own as many organizations as one account may.");
}
