using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Domain.Tenancy;

/// <summary>Belongs to one organization: no query sees it from another one.</summary>
public interface IOfTenant
{
    OrganizationId OrganizationId { get; }
}

/// <summary>Belongs to one project: no query on behalf of a key sees it from another one.</summary>
public interface IOfProject : IOfTenant
{
    ProjectId ProjectId { get; }
}
