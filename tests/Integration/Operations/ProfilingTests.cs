using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Operations;

/// <summary>The server looks at itself: each of these does something in its process, and finds it in the profile.</summary>
[Collection(Alone.Name)]
public sealed class ProfilingTests(VtpApi api) : IClassFixture<VtpApi>
{
    private const string Secret = "a-value-that-nobody-shall-find";

    [Fact]
    public async Task A_cpu_profile_shows_what_runs_and_not_what_waits()
    {
        await using var burning = new Busy(static stop => Busy.Burn(stop));
        await using var waiting = new Busy(static stop => Busy.WaitForIt(stop));

        var profile = await ProfileAsync("profile?seconds=1&format=json");

        var methods = profile.GetProperty("methods").EnumerateArray().ToList();
        methods.Take(5).Should().Contain(method => method.GetProperty("method").GetString()!.EndsWith("Busy.Burn", StringComparison.Ordinal), profile.GetRawText());
        methods.Should().NotContain(method => method.GetProperty("method").GetString()!.EndsWith("Busy.WaitForIt", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cpu_profile_is_a_file_that_speedscope_reads()
    {
        await using var burning = new Busy(static stop => Busy.Burn(stop));

        var file = await ProfileAsync("profile?seconds=1");

        file.GetProperty("$schema").GetString().Should().Be("https://www.speedscope.app/file-format-schema.json");
        var frames = file.GetProperty("shared").GetProperty("frames").GetArrayLength();
        foreach (var thread in file.GetProperty("profiles").EnumerateArray())
        {
            thread.GetProperty("type").GetString().Should().Be("sampled");
            thread.GetProperty("samples").GetArrayLength().Should().Be(thread.GetProperty("weights").GetArrayLength());
            thread.GetProperty("samples").EnumerateArray().SelectMany(sample => sample.EnumerateArray()).Should().OnlyContain(frame => frame.GetInt32() >= 0 && frame.GetInt32() < frames);
            thread.GetProperty("endValue").GetDouble().Should().BeApproximately(thread.GetProperty("weights").EnumerateArray().Sum(weight => weight.GetDouble()), 0.001);
        }
    }

    [Fact]
    public async Task Threads_are_listed_with_where_they_are()
    {
        await using var waiting = new Busy(static stop => Busy.WaitForIt(stop));

        var threads = await ProfileAsync("threads");

        var group = threads.GetProperty("groups").EnumerateArray()
            .Single(group => group.GetProperty("stack").EnumerateArray().Any(frame => frame.GetString()!.EndsWith("Busy.WaitForIt", StringComparison.Ordinal)));
        (group.GetProperty("count").GetInt32(), group.GetProperty("runs").GetBoolean()).Should().Be((1, false));
    }

    [Fact]
    public async Task Contention_says_where_locks_are_waited_for_and_for_how_long()
    {
        await using var one = new Busy(static stop => Busy.Fight(stop));
        await using var other = new Busy(static stop => Busy.Fight(stop));

        var contention = await ProfileAsync("contention?seconds=1");

        contention.GetProperty("total").GetDouble().Should().BePositive();
        contention.GetProperty("stacks").EnumerateArray().SelectMany(stack => stack.GetProperty("stack").EnumerateArray()).Should().Contain(frame => frame.GetString()!.EndsWith("Busy.Fight", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Allocations_say_what_is_made_and_where()
    {
        await using var wasting = new Busy(static stop => Busy.Waste(stop));

        var allocations = await ProfileAsync("allocs?seconds=1");

        allocations.GetProperty("stacks").EnumerateArray().Should().Contain(stack =>
            stack.GetProperty("stack")[0].GetString()!.EndsWith("Leaked", StringComparison.Ordinal) && stack.GetProperty("stack")[1].GetString()!.EndsWith("Busy.Waste", StringComparison.Ordinal));
    }

    private async Task<JsonElement> ProfileAsync(string path)
    {
        var answer = await (await api.RegisterAdministratorAsync()).GetAsync($"/debug/pprof/{path}");
        answer.Status.Should().Be(HttpStatusCode.OK, $"{answer.Text} {string.Join('\n', api.Log.Where(line => line.StartsWith("Error", StringComparison.Ordinal)))}");
        return answer.Body;
    }

    private sealed record Leaked(string Value);

    /// <summary>A thread that does one thing until it is told to stop.</summary>
    private sealed class Busy : IAsyncDisposable
    {
        private static readonly object Gate = new();
        private readonly CancellationTokenSource _stop = new();
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Busy(Action<CancellationToken> what)
        {
            var thread = new Thread(() =>
            {
                what(_stop.Token);
                _ended.SetResult();
            });
            thread.IsBackground = true;
            thread.Start();
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static void Burn(CancellationToken stop)
        {
            for (var count = 0UL; !stop.IsCancellationRequested; count++)
            {
                GC.KeepAlive(count % 7 == 3 ? Gate : null);
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static void WaitForIt(CancellationToken stop) => stop.WaitHandle.WaitOne();

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static void Fight(CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
            {
                lock (Gate)
                {
                    Thread.SpinWait(200_000);
                }
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static void Waste(CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
            {
                GC.KeepAlive(new Leaked(Secret));
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _ended.Task;
            _stop.Dispose();
        }
    }
}
