using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Logging.Abstractions;
using Vtp.Application.Common.Caching;
using Vtp.Infrastructure.Caching;
using Vtp.Unit.Common;

namespace Vtp.Unit.Caching;

public sealed class VtpCacheTests : IDisposable
{
    private static readonly TimeSpan Moment = TimeSpan.FromTicks(1);

    private readonly TestClock _clock = new();
    private readonly CacheOptions _options = new() { MaximumEntries = 100, MaximumBytes = 4 << 20 };
    private readonly CacheCounts _counts = new();
    private readonly Removals _removals;
    private readonly LocalEntries _entries;
    private readonly VtpCache _cache;
    private int _calls;

    public VtpCacheTests()
    {
        _removals = new Removals(_clock);
        _entries = new LocalEntries(_options.MaximumEntries, _options.MaximumBytes, _clock);
        _cache = new VtpCache(_options, _entries, _removals, _counts, RemoveAsync, _clock, NullLogger<VtpCache>.Instance);

        Task RemoveAsync(IReadOnlyCollection<string> names)
        {
            _removals.Add(names);
            return Task.CompletedTask;
        }
    }

    public void Dispose() => _counts.Dispose();

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
        _clock.Advance(TimeSpan.FromSeconds(26));
        (await GetAsync()).Should().Be(1);
        _clock.Advance(TimeSpan.FromSeconds(4));
        (await GetAsync()).Should().Be(2);
    }

    [Fact]
    public async Task Misses_say_why()
    {
        await GetAsync();
        _clock.Advance(TimeSpan.FromSeconds(30));
        await GetAsync();
        _clock.Advance(Moment);
        await _cache.RemoveAsync("key");
        _clock.Advance(Moment);
        await GetAsync();

        var count = _counts.Of("key");
        (count.Misses, count.MissesExpired, count.MissesRemoved).Should().Be((3, 1, 1));
        count.JudgeAnew();
        await GetAsync();
        count.Reads.Should().Be(new CacheReads(1, 0, 0, 0, 0));
    }

    [Fact]
    public async Task Removing_a_tag_a_key_or_a_beginning_forgets_its_entries_and_no_others()
    {
        await GetAsync("a:1:x", "red");
        await GetAsync("a:1:y", "blue");
        await GetAsync("a:2:z");
        await GetAsync("b:1:x");

        await RemovedAsync(() => _cache.RemoveByTagAsync("red"), 5, 2, 3, 4);
        await RemovedAsync(() => _cache.RemoveAsync("a:1:y"), 5, 6, 3, 4);
        await RemovedAsync(() => _cache.RemoveAsync("a:1"), 7, 8, 3, 4);
        await RemovedAsync(() => _cache.RemoveAsync("a"), 9, 10, 11, 4);
        await RemovedAsync(() => _cache.RemoveByTagAsync("*"), 12, 13, 14, 15);

        async Task RemovedAsync(Func<ValueTask> remove, params int[] left)
        {
            _clock.Advance(Moment);
            await remove();
            _clock.Advance(Moment);
            int[] found = [await GetAsync("a:1:x", "red"), await GetAsync("a:1:y", "blue"), await GetAsync("a:2:z"), await GetAsync("b:1:x")];
            found.Should().Equal(left);
        }
    }

    [Fact]
    public async Task What_was_begun_before_its_tag_was_removed_is_not_kept_and_nobody_who_comes_later_gets_it()
    {
        var gate = new TaskCompletionSource();
        var slow = _cache.GetOrCreateAsync("key", async _ =>
        {
            await gate.Task;
            return -1;
        }, tags: ["red"]).AsTask();
        _clock.Advance(Moment);
        await _cache.RemoveByTagAsync("red");
        _clock.Advance(Moment);

        (await GetAsync("key", "red")).Should().Be(1, "the one that still runs began before the removal");
        gate.SetResult();
        (await slow).Should().Be(-1);

        (await GetAsync("key", "red")).Should().Be(1, "what ended last began first");
    }

    [Fact]
    public async Task A_factory_that_fails_fails_its_callers_and_is_tried_again()
    {
        var failing = () => _cache.GetOrCreateAsync<int>("key", _ => throw new IOException()).AsTask();
        await failing.Should().ThrowAsync<IOException>();
        (await GetAsync()).Should().Be(1);
    }

    [Fact]
    public async Task While_the_source_fails_the_last_answer_serves_five_minutes_longer_and_the_source_is_asked_once_a_second()
    {
        await GetAsync();
        _clock.Advance(TimeSpan.FromSeconds(30));
        for (var call = 0; call < 10; call++)
        {
            (await FailAsync()).Should().Be(1);
        }

        _calls.Should().Be(2);
        _clock.Advance(TimeSpan.FromSeconds(1));
        (await FailAsync()).Should().Be(1);
        _calls.Should().Be(3);

        _clock.Advance(TimeSpan.FromMinutes(5));
        await FluentActions.Awaiting(FailAsync).Should().ThrowAsync<IOException>();
    }

    [Fact]
    public async Task What_was_removed_does_not_serve_while_the_source_fails()
    {
        await GetAsync();
        _clock.Advance(Moment);
        await _cache.RemoveAsync("key");
        _clock.Advance(Moment);

        await FluentActions.Awaiting(FailAsync).Should().ThrowAsync<IOException>();
    }

    [Fact]
    public async Task What_has_nothing_to_keep_has_not_failed()
    {
        await GetAsync();
        _clock.Advance(TimeSpan.FromSeconds(30));

        var gone = () => _cache.GetOrCreateAsync<int>("key", _ => throw new Gone()).AsTask();
        await gone.Should().ThrowAsync<Gone>();
        await FluentActions.Awaiting(FailAsync).Should().ThrowAsync<IOException>("the old answer is gone too");
    }

    [Fact]
    public async Task A_slow_source_gives_the_old_answer_after_the_soft_timeout_and_the_new_one_is_kept_when_it_comes()
    {
        _options.SoftTimeout = TimeSpan.FromMilliseconds(5);
        await GetAsync();
        _clock.Advance(TimeSpan.FromSeconds(30));
        var gate = new TaskCompletionSource();

        (await SlowAsync(gate.Task)).Should().Be(1);
        (await SlowAsync(gate.Task)).Should().Be(1);
        gate.SetResult();

        (await UntilAsync(() => GetAsync(), value => value == 2)).Should().Be(2);
        _calls.Should().Be(2);
    }

    [Fact]
    public async Task A_slow_source_without_an_old_answer_is_given_up_after_the_hard_timeout_and_its_answer_is_kept_when_it_comes()
    {
        _options.HardTimeout = TimeSpan.FromMilliseconds(5);
        var gate = new TaskCompletionSource();
        await FluentActions.Awaiting(() => SlowAsync(gate.Task)).Should().ThrowAsync<TimeoutException>();
        gate.SetResult();
        _options.HardTimeout = TimeSpan.FromSeconds(10);

        (await GetAsync()).Should().Be(1);
        _calls.Should().Be(1);
    }

    [Fact]
    public async Task An_answer_that_nears_its_end_is_renewed_behind_whoever_gets_it()
    {
        await GetAsync();
        _clock.Advance(TimeSpan.FromSeconds(28));
        var gate = new TaskCompletionSource();

        (await SlowAsync(gate.Task)).Should().Be(1);
        (await SlowAsync(gate.Task)).Should().Be(1);
        gate.SetResult();

        (await UntilAsync(() => GetAsync(), value => value == 2)).Should().Be(2);
        _clock.Advance(TimeSpan.FromSeconds(20));
        (await GetAsync()).Should().Be(2, "it lives from its renewal on");
        _calls.Should().Be(2);
    }

    [Fact]
    public async Task A_caller_who_gives_up_leaves_the_work_to_the_others()
    {
        _options.HardTimeout = TimeSpan.FromMinutes(1);
        using var gaveUp = new CancellationTokenSource();
        var gate = new TaskCompletionSource();
        var impatient = _cache.GetOrCreateAsync("other", async _ =>
        {
            await gate.Task;
            return Interlocked.Increment(ref _calls);
        }, cancellationToken: gaveUp.Token).AsTask();
        var patient = GetAsync("other");
        await gaveUp.CancelAsync();
        await FluentActions.Awaiting(() => impatient).Should().ThrowAsync<OperationCanceledException>();
        gate.SetResult();

        (await patient).Should().Be(1);
    }

    [Fact]
    public async Task There_are_never_more_entries_than_may_be_and_those_in_use_stay()
    {
        for (var index = 0; index < 1000; index++)
        {
            _clock.Advance(Moment);
            await GetAsync($"key:{index}");
            await GetAsync("key:0");
            _entries.Count.Should().BeLessThanOrEqualTo(_options.MaximumEntries);
        }

        var before = _calls;
        await GetAsync("key:0");
        _calls.Should().Be(before);
        _counts.Of("key:0").Evictions.Should().BeGreaterThan(800);
    }

    [Fact]
    public async Task There_are_never_more_bytes_than_may_be_and_counts_agree_with_what_is_there()
    {
        for (var index = 0; index < 90; index++)
        {
            _clock.Advance(Moment);
            await _cache.SetAsync($"key:{index}", new string('x', 100_000));
            _entries.Bytes.Should().BeLessThanOrEqualTo(_options.MaximumBytes);
        }

        _entries.Bytes.Should().BeGreaterThan(_options.MaximumBytes / 2).And.Be(_counts.All.Sum(count => count.Bytes));
        _entries.Count.Should().BeGreaterThan(0).And.Be((int)_counts.All.Sum(count => count.Entries));
    }

    [Fact]
    public async Task An_answer_of_more_than_a_mebibyte_is_answered_and_not_kept()
    {
        foreach (var (length, calls) in new[] { ((1 << 20) - 2, 1), ((1 << 20) - 1, 2) })
        {
            _calls = 0;
            for (var turn = 0; turn < 2; turn++)
            {
                (await _cache.GetOrCreateAsync($"key:{length}", _ =>
                {
                    Interlocked.Increment(ref _calls);
                    return ValueTask.FromResult(new string('x', length));
                })).Should().HaveLength(length);
            }

            _calls.Should().Be(calls);
        }
    }

    [Fact]
    public async Task What_is_absent_is_not_kept()
    {
        for (var turn = 1; turn <= 2; turn++)
        {
            (await _cache.GetOrCreateAsync("key", _ =>
            {
                Interlocked.Increment(ref _calls);
                return ValueTask.FromResult<string?>(null);
            })).Should().BeNull();
            _calls.Should().Be(turn);
        }
    }

    [Fact]
    public async Task A_node_that_hears_nothing_believes_an_answer_for_a_second()
    {
        _removals.IsDeaf = true;
        await GetAsync();
        _clock.Advance(TimeSpan.FromSeconds(1));
        (await GetAsync()).Should().Be(1);
        _clock.Advance(Moment);
        (await GetAsync()).Should().Be(2);
    }

    [Fact]
    public async Task A_key_of_another_type_is_another_answer()
    {
        await GetAsync();
        (await _cache.GetOrCreateAsync("key", _ => ValueTask.FromResult("text"))).Should().Be("text");
    }

    private static async Task<int> UntilAsync(Func<Task<int>> read, Func<int, bool> isRight)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (true)
        {
            var value = await read();
            if (isRight(value) || patience.IsCancellationRequested)
            {
                return value;
            }

            await Task.Yield();
        }
    }

    private Task<int> GetAsync(string key = "key", params string[] tags) => _cache.GetOrCreateAsync(
        key, _ => ValueTask.FromResult(Interlocked.Increment(ref _calls)), Seconds(30), tags).AsTask();

    private Task<int> SlowAsync(Task gate) => _cache.GetOrCreateAsync("key", async _ =>
    {
        var call = Interlocked.Increment(ref _calls);
        await gate;
        return call;
    }, Seconds(30)).AsTask();

    private Task<int> FailAsync() => _cache.GetOrCreateAsync<int>("key", _ =>
    {
        Interlocked.Increment(ref _calls);
        throw new IOException();
    }, Seconds(30)).AsTask();

    private static HybridCacheEntryOptions Seconds(int seconds) => new() { Expiration = TimeSpan.FromSeconds(seconds) };

    private sealed class Gone : NothingToKeepException;
}
