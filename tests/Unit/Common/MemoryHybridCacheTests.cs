using Microsoft.Extensions.Caching.Hybrid;
using Vtp.Infrastructure.Caching;

namespace Vtp.Unit.Common;

public sealed class MemoryHybridCacheTests : IDisposable
{
    private readonly TestClock _clock = new();
    private readonly MemoryHybridCache _cache;
    private int _calls;

    public MemoryHybridCacheTests() => _cache = new MemoryHybridCache(_clock);

    public void Dispose() => _cache.Dispose();

    [Fact]
    public async Task A_thousand_parallel_misses_are_one_factory_call()
    {
        var gate = new TaskCompletionSource();
        var readers = Enumerable.Range(0, 1000).Select(_ => _cache.GetOrCreateAsync("key", async _ =>
        {
            await gate.Task;
            return Interlocked.Increment(ref _calls);
        }).AsTask()).ToList();
        gate.SetResult();

        (await Task.WhenAll(readers)).Should().OnlyContain(value => value == 1);
    }

    [Fact]
    public async Task An_entry_lives_as_long_as_it_was_told_to()
    {
        (await GetAsync()).Should().Be(1);
        _clock.Advance(TimeSpan.FromSeconds(29));
        (await GetAsync()).Should().Be(1);
        _clock.Advance(TimeSpan.FromSeconds(1));
        (await GetAsync()).Should().Be(2);
    }

    [Fact]
    public async Task Removing_a_tag_forgets_its_entries_and_no_others()
    {
        await GetAsync("one", "red");
        await GetAsync("other", "blue");
        _clock.Advance(TimeSpan.FromTicks(1));
        await _cache.RemoveByTagAsync("red");
        _clock.Advance(TimeSpan.FromTicks(1));

        (await GetAsync("one", "red")).Should().Be(3);
        (await GetAsync("other", "blue")).Should().Be(2);
    }

    [Fact]
    public async Task What_was_begun_before_its_tag_was_removed_is_not_kept()
    {
        var gate = new TaskCompletionSource();
        var slow = _cache.GetOrCreateAsync("key", async _ =>
        {
            await gate.Task;
            return Interlocked.Increment(ref _calls);
        }, tags: ["red"]).AsTask();
        await _cache.RemoveByTagAsync("red");
        gate.SetResult();
        await slow;

        _clock.Advance(TimeSpan.FromTicks(1));
        (await GetAsync("key", "red")).Should().Be(2);
    }

    [Fact]
    public async Task A_factory_that_fails_fails_its_callers_and_is_tried_again()
    {
        var failing = () => _cache.GetOrCreateAsync<int>("key", _ => throw new TimeoutException()).AsTask();
        await failing.Should().ThrowAsync<TimeoutException>();
        (await GetAsync()).Should().Be(1);
    }

    private ValueTask<int> GetAsync(string key = "key", params string[] tags) => _cache.GetOrCreateAsync(
        key, _ => ValueTask.FromResult(Interlocked.Increment(ref _calls)), new HybridCacheEntryOptions { Expiration = TimeSpan.FromSeconds(30) }, tags);
}
