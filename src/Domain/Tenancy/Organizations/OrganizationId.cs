using Vtp.Domain.Common;

namespace Vtp.Domain.Tenancy.Organizations;

/// <summary>UUID version 7. An organization is a tenant.</summary>
public readonly record struct OrganizationId(Guid Value)
{
    /// <summary>Stands where the installation itself is meant: no organization has it, and nobody is a member of it.</summary>
    public static readonly OrganizationId Installation = new(Guid.Empty);

    public static OrganizationId New(DateTimeOffset now) => new(Uuid.NewVersion7(now));

    public override string ToString() => Value.ToString();
}
