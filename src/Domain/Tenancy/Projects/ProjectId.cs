using Vtp.Domain.Common;

namespace Vtp.Domain.Tenancy.Projects;

/// <summary>UUID version 7.</summary>
public readonly record struct ProjectId(Guid Value)
{
    public static ProjectId New(DateTimeOffset now) => new(Uuid.NewVersion7(now));

    public override string ToString() => Value.ToString();
}
