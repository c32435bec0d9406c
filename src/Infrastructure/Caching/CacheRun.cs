using Microsoft.Extensions.Caching.Hybrid;

namespace Vtp.Infrastructure.Caching;

/// <summary>What is to be done about one key.</summary>
/// <param name="IsRefresh">An answer that nears its end is not good enough.</param>
internal sealed record CacheWork<TState, T>(
    string Key, TState State, Func<TState, CancellationToken, ValueTask<T>> Factory, HybridCacheEntryOptions? Options, string[] Names, bool IsRefresh);

/// <summary>That it is done, once, for all who wait on this node. It outlives a caller who gives up.</summary>
internal sealed class CacheRun
{
    private readonly Lazy<Task<object?>> _answer;

    private CacheRun(long startedAt, string[] names, Type type, Func<Task<object?>> create) =>
        (StartedAt, Names, Type, _answer) = (startedAt, names, type, new Lazy<Task<object?>>(create));

    public long StartedAt { get; }

    public string[] Names { get; }

    public Type Type { get; }

    public Task<object?> Answer => _answer.Value;

    public static CacheRun Of<T>(long startedAt, string[] names, Func<Task<T>> create) =>
        new(startedAt, names, typeof(T), async () => await create());
}
