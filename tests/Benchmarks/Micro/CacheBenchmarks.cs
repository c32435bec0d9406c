using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Logging.Abstractions;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Caching;

namespace Vtp.Benchmarks.Micro;

/// <summary>An answer of this node's memory, by a key that is there and one that must be made first; some removals were heard before.</summary>
[MemoryDiagnoser]
public class CacheBenchmarks : IDisposable
{
    private const int Projects = 1000;

    private readonly CacheCounts _counts = new();
    private readonly HybridCacheEntryOptions _hour = new() { Expiration = TimeSpan.FromHours(1) };
    private readonly TenantScope _tenant = new();
    private readonly string[] _keys = [.. Enumerable.Range(0, Projects).Select(index => $"project:{Guid.CreateVersion7()}:{index}")];
    private readonly string[] _tags = ["project:one"];
    private readonly VtpCache _cache;
    private int _turn;

    public CacheBenchmarks()
    {
        var removals = new Removals(TimeProvider.System);
        _cache = new VtpCache(
            new(), new(10_000, 64 << 20, TimeProvider.System), removals, _counts, _ => Task.CompletedTask, TimeProvider.System, NullLogger<VtpCache>.Instance);
        removals.Add([.. Enumerable.Range(0, 1000).Select(index => $"t:{index}")]);
        _tenant.Enter(new OrganizationId(Guid.CreateVersion7()), new ProjectId(Guid.CreateVersion7()), 365);
    }

    [GlobalSetup]
    public async Task FillAsync()
    {
        foreach (var key in _keys)
        {
            await _cache.SetAsync(key, "answer", _hour, _tags);
        }
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _counts.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Description = "cache, a hit in memory")]
    public ValueTask<string> HitAsync()
    {
        _turn = (_turn + 1) % Projects;
        return _cache.GetOrCreateAsync(_keys[_turn], 0, static (_, _) => new ValueTask<string>("other"), _hour, _tags);
    }

    [Benchmark(Description = "cache, the key of a project")]
    public CacheKey? Key() => CacheKey.Of(_tenant, CachePrefix.Project);
}
