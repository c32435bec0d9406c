using MediatR;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Common;

/// <summary>A use case that changes something.</summary>
public interface ICommand<TAnswer> : IRequest<Result<TAnswer>>
    where TAnswer : notnull;

/// <summary>A use case that only reads.</summary>
public interface IQuery<TAnswer> : IRequest<Result<TAnswer>>
    where TAnswer : notnull;

/// <summary>Who may run a use case. Every use case says so; there is no default.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RequiresAttribute(Permission permission) : Attribute
{
    public Permission Permission { get; } = permission;
}

/// <summary>
/// An API key may run this too, when it holds the scope. Without this attribute only a person can.
/// </summary>
/// <param name="scope">A word of <see cref="Domain.Tenancy.ApiKeys.KeyScopes"/>.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class OpenToKeysAttribute(string scope) : Attribute
{
    public string Scope { get; } = scope;

    /// <summary>A publishable key alone is not enough.</summary>
    public bool NeedsSecret { get; init; }
}

/// <summary>A use case about one organization; null where the caller may leave it out, which means all of theirs.</summary>
public interface IAboutOrganization
{
    OrganizationId? Organization { get; }
}

/// <summary>A use case about one project, and so about the organization that has it.</summary>
public interface IAboutProject
{
    ProjectId Project { get; }
}

/// <summary>A use case that reaches what is deleted, which all others are told does not exist.</summary>
public interface ISeesDeleted;

/// <summary>Each run leaves an entry in the trail: committed with the change, or on its own when refused.</summary>
/// <param name="action"><c>area.what_happened</c></param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class AuditedAttribute(string action) : Attribute
{
    public string Action { get; } = action;
}

/// <summary>A policy of <see cref="RateLimitPolicies"/>; several may stand on one use case.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class RateLimitedAttribute(string policy) : Attribute
{
    public string Policy { get; } = policy;

    /// <summary>Who comes a little too early waits rather than being refused: clients that never try again depend on it.</summary>
    public bool Waits { get; init; }
}

/// <summary>For how many requests one run of this counts in the budgets of its caller.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RequestCostAttribute(int cost) : Attribute
{
    public int Cost { get; } = cost;
}

/// <summary>What a guess is aimed at (an address, a challenge), for limits that count per target.</summary>
public interface IRateLimitTarget
{
    string? RateLimitTarget { get; }
}

/// <summary>Honours the <c>Idempotency-Key</c> header: a repeat gets the first answer.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class IdempotentAttribute : Attribute;

/// <summary>An older client's name for this field, accepted beside the snake_case one.</summary>
[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
public sealed class AliasAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

/// <summary>What only the handler knows of the audit entry of its use case: what it was done to, and who did it at sign-in.</summary>
public sealed class AuditSubject
{
    /// <summary>Stands in for the caller where the use case itself finds out who they are.</summary>
    public Guid? ActorId { get; set; }

    public Guid? TargetId { get; set; }

    /// <summary>What people call the target.</summary>
    public string? TargetName { get; set; }
}
