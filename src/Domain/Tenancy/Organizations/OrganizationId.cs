using Vtp.Domain.Common;

namespace Vtp.Domain.Tenancy.Organizations;

/// <summary>UUID version 7. An organization is a tenant.</summary>
public readonly record struct OrganizationId(Guid Value)
{
    public static OrganizationId New(DateTimeOffset now) => new(Uuid.NewVersion7(now));

    public override string ToString() => Value.ToString();
}
