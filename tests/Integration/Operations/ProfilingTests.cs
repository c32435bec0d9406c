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
    public async Task Only_administrators_of_the_installation_see_or_take_profiles()
    {
        var somebody = await api.RegisterAsync();
        foreach (var path in new[] { "", "profile", "heap", "threads", "contention", "allocs", "trace" })
        {
            (await api.GetAsync($"/debug/pprof/{path}")).ShouldBeProblem(HttpStatusCode.Unauthorized, "auth.required");
            (await somebody.GetAsync($"/debug/pprof/{path}")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
        }

        var index = await (await api.RegisterAdministratorAsync()).GetAsync("/debug/pprof/");
        index.Body.GetProperty("data").EnumerateArray().Select(offer => offer.GetProperty("kind").GetString())
            .Should().Equal("cpu", "heap", "threads", "contention", "allocations", "trace");
    }

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

    [Fact]
    public async Task A_trace_is_what_tools_of_net_read()
    {
        var trace = await (await api.RegisterAdministratorAsync()).GetAsync("/debug/pprof/trace?seconds=1");

        trace.Status.Should().Be(HttpStatusCode.OK);
        trace.Text.Should().StartWith("Nettrace");
        trace.ContentHeaders.ContentDisposition!.FileName.Should().Be("vtp-trace.nettrace");
    }

    [Theory]
    [InlineData("profile?seconds=61")]
    [InlineData("profile?seconds=0")]
    [InlineData("profile?seconds=-1")]
    [InlineData("trace?format=json")]
    [InlineData("heap?format=speedscope")]
    public async Task A_profile_is_bounded_in_time(string path) =>
        (await (await api.RegisterAdministratorAsync()).GetAsync($"/debug/pprof/{path}")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid");

    [Fact]
    public async Task A_second_profile_is_refused_while_one_is_being_taken()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var first = administrator.GetAsync("/debug/pprof/profile?seconds=5&format=json");
        var refused = default(Answer)!;
        await VtpApi.UntilAsync(async () => (refused = await administrator.GetAsync("/debug/pprof/threads")).Status == HttpStatusCode.Conflict, "the first to run");
        refused.ShouldBeProblem(HttpStatusCode.Conflict, "profile.running");

        (await first).Status.Should().BeOneOf(HttpStatusCode.OK, HttpStatusCode.Conflict);
        await VtpApi.UntilAsync(async () => (await administrator.GetAsync("/debug/pprof/threads")).Status == HttpStatusCode.OK, "the way to be free again");
    }

    [Fact]
    public async Task A_client_that_goes_ends_its_profile()
    {
        var administrator = await api.RegisterAdministratorAsync();
        using var gone = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/debug/pprof/profile?seconds=60");
        request.Headers.Authorization = new("Bearer", administrator.AccessToken);
        var first = api.Http.SendAsync(request, gone.Token);
        await VtpApi.UntilAsync(async () => (await administrator.GetAsync("/debug/pprof/threads")).Status == HttpStatusCode.Conflict, "it to run");

        await gone.CancelAsync();

        await FluentActions.Awaiting(() => first).Should().ThrowAsync<OperationCanceledException>();
        await VtpApi.UntilAsync(async () => (await administrator.GetAsync("/debug/pprof/threads")).Status == HttpStatusCode.OK, "the way to be free long before the minute is over");
    }

    [Fact]
    public async Task What_was_recorded_is_nobody_elses_and_does_not_stay()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var running = administrator.GetAsync("/debug/pprof/profile?seconds=3&format=json");
        DirectoryInfo[] folders = [];
        await VtpApi.UntilAsync(() => (folders = Recordings()).Length > 0, "it to be recorded");
        foreach (var folder in folders)
        {
            folder.UnixFileMode.Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        (await running).Status.Should().Be(HttpStatusCode.OK);
        (await administrator.GetAsync("/debug/pprof/trace?seconds=1")).Status.Should().Be(HttpStatusCode.OK);
        Recordings().Should().BeEmpty();

        static DirectoryInfo[] Recordings() => new DirectoryInfo(Path.GetTempPath()).GetDirectories("vtp-profile-*");
    }

    [Fact]
    public async Task Taking_a_profile_is_in_the_trail()
    {
        var administrator = await api.RegisterAdministratorAsync();

        (await administrator.GetAsync("/debug/pprof/threads")).Status.Should().Be(HttpStatusCode.OK);

        (await api.QueryAsync<string>("SELECT target_name FROM audit_entries WHERE action = 'installation.profile_taken' AND actor_id = $1", administrator.UserId)).Should().Be("threads");
    }

    [Fact]
    public async Task A_profile_names_types_and_methods_and_holds_no_values()
    {
        Leaked[] leaked = [.. Enumerable.Range(0, 1000).Select(_ => new Leaked(Secret))];
        var administrator = await api.RegisterAdministratorAsync();
        foreach (var path in new[] { "heap", "threads", "profile?seconds=1", "allocs?seconds=1", "heap?format=nettrace", "profile?seconds=1&format=nettrace" })
        {
            var during = api.SignInAsync(administrator.Email, administrator.Password);
            var profile = await administrator.GetAsync($"/debug/pprof/{path}");
            profile.Status.Should().Be(HttpStatusCode.OK, profile.Text[..Math.Min(300, profile.Text.Length)]);
            foreach (var value in new[] { Secret, administrator.Email, administrator.Password, administrator.AccessToken })
            {
                profile.Text.Contains(value, StringComparison.Ordinal).Should().BeFalse(path);
                profile.Text.Contains(string.Join('\0', value.ToCharArray()), StringComparison.Ordinal).Should().BeFalse(path);
            }

            await during;
        }

        GC.KeepAlive(leaked);
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
