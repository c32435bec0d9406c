using Vtp.Domain.Events;

namespace Vtp.Domain.Tenancy.Organizations;

public static class OrganizationEvents
{
    [Event("organization.created", "Somebody founded the organization.")]
    public sealed record Created(Guid Id, string Name, Plan Plan);

    [Event("organization.updated", "Its name, plan or settings are others.")]
    public sealed record Updated(Guid Id, string Name, Plan Plan);

    [Event("organization.deleted", "An owner deleted it; for 30 days it can be restored.")]
    public sealed record Deleted(Guid Id, string Name);

    [Event("organization.restored", "An owner undid its deletion.")]
    public sealed record Restored(Guid Id, string Name);
}
