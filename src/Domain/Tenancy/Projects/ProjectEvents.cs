using Vtp.Domain.Events;

namespace Vtp.Domain.Tenancy.Projects;

public static class ProjectEvents
{
    [Event("project.created", "The organization has one more project.")]
    public sealed record Created(Guid Id, string Name, Region Region);

    [Event("project.updated", "Its name, features or storage are others.")]
    public sealed record Updated(Guid Id, string Name, Region Region);

    [Event("project.deleted", "It was deleted, and its keys with it; for 30 days it can be restored.")]
    public sealed record Deleted(Guid Id, string Name);

    [Event("project.restored", "Its deletion was undone.")]
    public sealed record Restored(Guid Id, string Name);
}
