namespace Vtp.Application.Common.Caching;

/// <summary>
/// A query whose answer is kept until a command that <see cref="IInvalidates"/> one of its tags. Authorization has run
/// before; the answer may depend on nothing but the key, so that its handler takes no <see cref="ICaller"/>.
/// </summary>
public interface ICachedQuery
{
    /// <param name="tenant">As far as the caller's credential reaches.</param>
    /// <returns>Null: this one is not kept.</returns>
    CacheKey? KeyIn(TenantScope tenant);

    IReadOnlyCollection<CacheTag> TagsIn(TenantScope tenant);
}

/// <summary>A command after whose commit answers that are kept under these tags are wrong.</summary>
public interface IInvalidates
{
    /// <param name="tenant">As the command left it.</param>
    IReadOnlyCollection<CacheTag> InvalidatedIn(TenantScope tenant);
}

/// <summary>For how long answers are kept: as their prefix says, or as was found to be better, the same on all nodes.</summary>
public interface ICacheLifetimes
{
    TimeSpan KeepFor(CachePrefix prefix);
}

/// <summary>
/// Thrown by a factory that has nothing to keep and has not failed: the cache hands it to whoever asked, and does not put
/// an older answer in its place.
/// </summary>
public abstract class NothingToKeepException : Exception;

/// <summary>The source of an answer was too slow, and there is no older answer. What comes of it later is kept.</summary>
public sealed class SourceTimeoutException(string key, TimeSpan after)
    : TimeoutException($"The source of {key} did not answer within {after.TotalMilliseconds} ms.");
