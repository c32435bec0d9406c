using Vtp.Application.Common.Caching;
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

    /// <summary>What happened on the node that answers since the time of a prefix was last set, or since the node started.</summary>
    IReadOnlyList<CacheEvidence> Evidence();

    /// <summary>How many of these keys the node that answers has at hand.</summary>
    int CountAtHand(IEnumerable<CacheKey> keys);

    /// <summary>On all nodes, for answers that are kept from now on, until it is set again.</summary>
    Task SetLifetimeAsync(CachePrefix prefix, TimeSpan keepFor, CancellationToken cancellationToken);

    /// <summary>On all nodes every prefix has its own again.</summary>
    Task ResetLifetimesAsync(CancellationToken cancellationToken);

    /// <summary>Each node reads into its memory what is asked for most; this does not wait for it.</summary>
    Task FillNodesAsync();
}

/// <param name="Reads">Hits and misses.</param>
/// <param name="Expired">Misses of answers whose time was over.</param>
/// <param name="Removed">Misses of answers that a change had made wrong.</param>
/// <param name="Evictions">Answers that made room for others.</param>
public sealed record CacheEvidence(CachePrefix Prefix, TimeSpan KeepFor, long Reads, long Misses, long Expired, long Removed, long Evictions);

/// <summary>Whose projects are asked for most.</summary>
public interface IHotProjects
{
    /// <summary>Those whose keys were used last, in the last week.</summary>
    Task<IReadOnlyList<(OrganizationId Organization, ProjectId Project)>> ReadAsync(int limit, CancellationToken cancellationToken);

    /// <summary>How many a node keeps at hand from its start on; 0 for none.</summary>
    int Wanted { get; }
}
