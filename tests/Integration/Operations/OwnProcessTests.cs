using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Npgsql;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Operations;

/// <summary>A server in a process of its own: a thousand tests leave more on a heap than one stream carries, and share the meters of a process.</summary>
public sealed class OwnProcessTests(OwnProcessApi api) : IClassFixture<OwnProcessApi>
{
    [Fact]
    public async Task A_heap_profile_counts_what_the_collector_counts()
    {
        var administrator = await api.RegisterAdministratorAsync();

        var heap = await administrator.GetAsync("/debug/pprof/heap");

        heap.Status.Should().Be(HttpStatusCode.OK, heap.Text);
        heap.Body.GetProperty("lost").GetInt32().Should().Be(0);
        var types = heap.Body.GetProperty("types").EnumerateArray().ToList();
        var text = types.Single(type => type.GetProperty("type").GetString() == "System.String");
        text.GetProperty("objects").GetInt64().Should().BeGreaterThan(10_000);
        text.GetProperty("bytes").GetInt64().Should().BeGreaterThan(22 * text.GetProperty("objects").GetInt64(), "the smallest one has a header, a type, a length and its end");
        types.Sum(type => type.GetProperty("bytes").GetInt64()).Should().BeLessThanOrEqualTo(heap.Body.GetProperty("bytes").GetInt64());

        // The collector's figure holds what is free between objects too, and what has come since.
        var metrics = (await administrator.GetAsync("/metrics")).Text;
        var collected = Regex.Matches(metrics, @"^dotnet_gc_last_collection_heap_size_bytes\{[^}]*\} (?<bytes>\S+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
            .Sum(line => double.Parse(line.Groups["bytes"].Value, CultureInfo.InvariantCulture));
        heap.Body.GetProperty("bytes").GetDouble().Should().BeInRange(0.5 * collected, 1.1 * collected);
    }

    [Fact]
    public async Task The_pool_is_as_large_as_the_connection_string_says()
    {
        var metrics = (await (await api.RegisterAdministratorAsync()).GetAsync("/api/performance/metrics")).Body;

        metrics.GetProperty("database").GetProperty("connection_pool").GetProperty("max").GetInt64()
            .Should().Be(new NpgsqlConnectionStringBuilder(api.ConnectionString).MaxPoolSize, "two pools share it");
    }

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
        await VtpApi.UntilAsync(() => Recordings().Length > 0, "the first to run");

        (await administrator.GetAsync("/debug/pprof/threads")).ShouldBeProblem(HttpStatusCode.Conflict, "profile.running");

        (await first).Status.Should().Be(HttpStatusCode.OK);
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
        await VtpApi.UntilAsync(() => Recordings().Length > 0, "it to run");

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
        var administrator = await api.RegisterAdministratorAsync();
        foreach (var path in new[] { "heap", "threads", "profile?seconds=1", "allocs?seconds=1", "heap?format=nettrace", "profile?seconds=1&format=nettrace" })
        {
            var during = api.SignInAsync(administrator.Email, administrator.Password);
            var profile = await administrator.GetAsync($"/debug/pprof/{path}");
            profile.Status.Should().Be(HttpStatusCode.OK, profile.Text[..Math.Min(300, profile.Text.Length)]);
            foreach (var value in new[] { administrator.Email, administrator.Password, administrator.AccessToken })
            {
                profile.Text.Contains(value, StringComparison.Ordinal).Should().BeFalse(path);
                profile.Text.Contains(string.Join('\0', value.ToCharArray()), StringComparison.Ordinal).Should().BeFalse(path);
            }

            await during;
        }

    }

    private DirectoryInfo[] Recordings() => new DirectoryInfo(api.Scratch).GetDirectories("vtp-profile-*");
}
