using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Operations.Cache;

/// <summary>The cache, as administrators see and empty it.</summary>
public interface ICacheAdministration
{
    /// <summary>Of the node that answers.</summary>
    CacheStatistics Read();

    /// <summary>On all nodes and in Redis: an answer, or all whose keys begin with this up to a colon.</summary>
    Task RemoveKeysAsync(string keyOrBeginning);

    /// <summary>On all nodes and in Redis.</summary>
    Task RemoveTagAsync(string tag);
}

/// <summary>Whose projects are asked for most.</summary>
public interface IHotProjects
{
    /// <summary>Those whose keys were used last, in the last week.</summary>
    Task<IReadOnlyList<(OrganizationId Organization, ProjectId Project)>> ReadAsync(int limit, CancellationToken cancellationToken);

    /// <summary>How many a node keeps at hand when it starts.</summary>
    int Wanted { get; }
}
