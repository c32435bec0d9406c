using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Application.Operations.Performance;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Operations;

/// <summary>What a node tells of itself, and to whom.</summary>
public sealed class PerformanceTests(PerformanceApi api) : IClassFixture<PerformanceApi>
{
    public static TheoryData<string, string> Routes => new()
    {
        { "GET", "metrics" }, { "GET", "endpoints" }, { "GET", "history" }, { "GET", "slow-queries" }, { "GET", "alerts" }, { "POST", "optimize" },
    };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Only_administrators_of_the_installation_see_how_it_does(string method, string route)
    {
        var path = $"/api/performance/{route}";
        (await api.SendAsync(new HttpMethod(method), path)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.SendAsync(new HttpMethod(method), path, token: (await api.RegisterAsync()).AccessToken)).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");

        var answer = await api.SendAsync(new HttpMethod(method), path, token: (await api.RegisterAdministratorAsync()).AccessToken);
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        answer.Headers.CacheControl!.NoStore.Should().BeTrue();
    }

    [Fact]
    public async Task Requests_are_counted_by_the_template_of_their_route_and_addresses_of_nothing_together()
    {
        var administrator = await api.RegisterAdministratorAsync();
        for (var count = 0; count < 5; count++)
        {
            await administrator.GetAsync($"admin/jobs/{Guid.NewGuid()}");
            await administrator.GetAsync($"/nowhere/{Guid.NewGuid()}");
            await api.SendAsync(new HttpMethod($"ODD{count}"), $"/nowhere/{Guid.NewGuid()}");
        }

        var endpoints = (await administrator.GetAsync("/api/performance/endpoints")).Body.GetProperty("data").EnumerateArray().ToList();

        var job = endpoints.Single(endpoint => endpoint.GetProperty("route").GetString() == "/api/v1/admin/jobs/{id:guid}");
        (job.GetProperty("requests").GetInt64(), job.GetProperty("refused").GetInt64(), job.GetProperty("errors").GetInt64()).Should().Be((5, 5, 0));
        job.GetProperty("response_time").GetProperty("samples").GetInt32().Should().Be(5);
        endpoints.Should().ContainSingle(endpoint => endpoint.GetProperty("route").GetString() == "(none)" && endpoint.GetProperty("method").GetString() == "GET");
        endpoints.Should().ContainSingle(endpoint => endpoint.GetProperty("method").GetString() == "(other)");
    }

    [Fact]
    public async Task What_fails_is_an_error_of_its_route()
    {
        var administrator = await api.RegisterAdministratorAsync();
        api.IsBroken = true;
        (await administrator.GetAsync("/api/performance/slow-queries")).Status.Should().Be(HttpStatusCode.InternalServerError);
        api.IsBroken = false;

        var endpoints = (await administrator.GetAsync("/api/performance/endpoints")).Body.GetProperty("data").EnumerateArray();
        endpoints.Single(endpoint => endpoint.GetProperty("route").GetString() == "/api/performance/slow-queries").GetProperty("errors").GetInt64().Should().BePositive();
        (await administrator.GetAsync("/api/performance/metrics")).Body.GetProperty("errors").GetProperty("total").GetInt64().Should().BePositive();
    }

    [Fact]
    public async Task The_numbers_are_those_of_the_server_and_its_pools()
    {
        var administrator = await api.RegisterAdministratorAsync();
        for (var count = 0; count < 10; count++)
        {
            await administrator.GetAsync("auth/profile");
        }

        var metrics = (await administrator.GetAsync("/api/performance/metrics")).Body;

        metrics.GetProperty("throughput").GetProperty("requests_per_minute").GetInt64().Should().BeGreaterThanOrEqualTo(10);
        metrics.GetProperty("throughput").GetProperty("requests_per_second").GetDouble().Should().BePositive();
        var database = metrics.GetProperty("database");
        database.GetProperty("connection_pool").GetProperty("max").GetInt64().Should().BePositive();
        (Number("active") + Number("idle")).Should().BePositive();
        database.GetProperty("query_performance").GetProperty("total").GetInt64().Should().BeGreaterThan(10);
        database.GetProperty("query_performance").GetProperty("average_time").GetDouble().Should().BePositive();
        metrics.GetProperty("memory").GetProperty("rss").GetInt64().Should().BeGreaterThan(metrics.GetProperty("memory").GetProperty("heap_used").GetInt64() / 2);
        metrics.GetProperty("active_connections").GetInt64().Should().BePositive();
        metrics.GetProperty("gc").GetProperty("collections").GetArrayLength().Should().Be(3);

        long Number(string name) => database.GetProperty("connection_pool").GetProperty(name).GetInt64();
    }

    [Fact]
    public async Task A_long_poll_is_counted_and_says_nothing_of_how_fast_the_server_is()
    {
        var school = await api.FoundSchoolAsync();
        await school.Owner.GetAsync($"events?wait=1&after={(await school.Owner.GetAsync("events")).Body.GetProperty("next_cursor").GetString()}");
        var administrator = await api.RegisterAdministratorAsync();

        var events = (await administrator.GetAsync("/api/performance/endpoints")).Body.GetProperty("data").EnumerateArray()
            .Single(endpoint => endpoint.GetProperty("route").GetString() == "/api/v1/events");
        events.GetProperty("requests").GetInt64().Should().Be(2);
        events.GetProperty("response_time").GetProperty("samples").GetInt32().Should().Be(1);
    }

    [Theory]
    [InlineData("accounts", "accounts", "of EF Core")]
    [InlineData("members", "members", "behind a port")]
    public async Task A_statement_that_waits_for_a_lock_is_seen_without_the_values_that_it_was_sent_with(string table, string named, string sentBy)
    {
        var school = await api.FoundSchoolAsync();
        Task<Answer> waiting;
        await using (var connection = new NpgsqlConnection(api.ConnectionString))
        {
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var hold = new NpgsqlCommand($"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", connection, transaction);
            await hold.ExecuteNonQueryAsync();
            waiting = table == "accounts"
                ? api.SignInAsync(school.Owner.Email, school.Owner.Password)
                : school.Owner.GetAsync($"organizations/{school.Id}");
            await VtpApi.UntilAsync(
                async () => await api.QueryAsync<bool>(
                    """
                    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                        AND clock_timestamp() - query_start > interval '400 milliseconds')
                    """),
                "a statement to wait for the lock");
            await transaction.RollbackAsync();
        }

        (await waiting).Status.Should().Be(HttpStatusCode.OK);
        var administrator = await api.RegisterAdministratorAsync();
        var answer = await administrator.GetAsync("/api/performance/slow-queries");
        answer.Body.GetProperty("threshold_ms").GetDouble().Should().Be(250);
        var slow = answer.Body.GetProperty("data").EnumerateArray()
            .Where(query => query.GetProperty("query").GetString()!.Contains($"FROM {named}", StringComparison.Ordinal)).ToList();
        slow.Should().NotBeEmpty($"a statement {sentBy} waited: {answer.Text}");
        slow.Should().Contain(query => query.GetProperty("maximum_ms").GetDouble() >= 400 && query.GetProperty("trace_id").GetString()!.Length == 32);
        answer.Text.Should().NotContain(school.Owner.Email).And.NotContain(school.Owner.UserId.ToString());
        (await administrator.GetAsync("/api/performance/metrics")).Body.GetProperty("database").GetProperty("query_performance")
            .GetProperty("slow_queries").GetInt64().Should().BePositive();
    }

    [Fact]
    public async Task Where_the_database_counts_statements_its_own_are_listed_too()
    {
        var administrator = await api.RegisterAdministratorAsync();
        (await administrator.GetAsync("/api/performance/slow-queries")).Body.GetProperty("database").ValueKind.Should().Be(JsonValueKind.Null);

        var superuser = new NpgsqlConnectionStringBuilder(api.ConnectionString) { Username = "postgres", Pooling = false }.ConnectionString;
        await using (var connection = new NpgsqlConnection(superuser))
        {
            await connection.OpenAsync();
            await using var create = new NpgsqlCommand("CREATE EXTENSION pg_stat_statements", connection);
            await create.ExecuteNonQueryAsync();
        }

        await api.QueryAsync<string>("SELECT 'a secret of somebody', pg_sleep(0.3)");

        var answer = await administrator.GetAsync("/api/performance/slow-queries");
        answer.Body.GetProperty("database").EnumerateArray().Should().Contain(query =>
            query.GetProperty("query").GetString()!.Contains("pg_sleep", StringComparison.Ordinal) && query.GetProperty("maximum_ms").GetDouble() >= 300, answer.Text);
        answer.Text.Should().NotContain("a secret of somebody");
    }

    [Fact]
    public async Task Optimizing_analyses_tables_that_have_changed_says_so_and_leaves_its_entry_in_the_trail()
    {
        var administrator = await api.RegisterAdministratorAsync();
        await api.QueryAsync<int>("INSERT INTO job_minutes (minute, kind, done, failed) SELECT now() - n * interval '1 minute', 'test.many', 1, 0 FROM generate_series(1, 3000) n");

        var report = default(Answer)!;
        await VtpApi.UntilAsync(
            async () => (report = await administrator.PostAsync("/api/performance/optimize")).Text.Contains("ANALYZE job_minutes: ", StringComparison.Ordinal),
            "the database to know that the table has changed");

        var finding = report.Body.GetProperty("findings").EnumerateArray().Single(finding => finding.GetProperty("subjects").EnumerateArray().Any(subject => subject.GetString() == "job_minutes"));
        finding.GetProperty("rule").GetString().Should().Be("stale_statistics");
        finding.GetProperty("evidence").GetProperty("changed").GetDouble().Should().BeGreaterThanOrEqualTo(3000);
        (await api.QueryAsync<bool>("SELECT last_analyze > now() - interval '1 minute' FROM pg_stat_user_tables WHERE relname = 'job_minutes'")).Should().BeTrue();
        (await administrator.PostAsync("/api/performance/optimize")).Text.Should().NotContain("job_minutes");
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'installation.performance_optimized' AND actor_id = $1", administrator.UserId))
            .Should().BeGreaterThanOrEqualTo(2);
    }

    [Fact]
    public async Task Optimizing_keeps_for_longer_what_was_still_right_on_all_nodes_and_that_is_undone_by_one_request()
    {
        var administrator = await api.RegisterAdministratorAsync();
        await using var other = await SecondNode.BesideAsync(api);
        var there = administrator with { Api = other };
        (await KeptAsync(there)).Should().Be((30, 30));
        for (var turn = 0; turn < 2; turn++)
        {
            for (var key = 0; key < 200; key++)
            {
                await api.Service<HybridCache>().GetOrCreateAsync($"stats:test:{key}", _ => new ValueTask<int>(1), new HybridCacheEntryOptions { Expiration = TimeSpan.FromSeconds(30) });
            }

            api.Clock.Advance(TimeSpan.FromSeconds(31));
        }

        var look = (await administrator.PostAsync("/api/performance/optimize", new { apply = false })).Body;
        var finding = look.GetProperty("findings").EnumerateArray().Single(finding => finding.GetProperty("rule").GetString() == "cache_expired");
        finding.GetProperty("subjects")[0].GetString().Should().Be("stats");
        finding.GetProperty("evidence").GetProperty("expired").GetDouble().Should().BeGreaterThanOrEqualTo(200);
        look.GetProperty("applied").EnumerateArray().Should().BeEmpty();
        (await KeptAsync(administrator)).Should().Be((30, 30));

        (await administrator.PostAsync("/api/performance/optimize")).Body.GetProperty("applied").EnumerateArray().Select(done => done.GetString())
            .Should().Contain("Answers of 'stats' are kept for 60 s from now on, on all nodes.");
        (await KeptAsync(administrator)).Should().Be((60, 30));
        await VtpApi.UntilAsync(async () => await KeptAsync(there) == (60, 30), "the other node to hear of it");
        (await administrator.PostAsync("/api/performance/optimize")).Text.Should().NotContain("cache_expired", "it is judged by what happens from then on");

        (await there.DeleteAsync("admin/cache/lifetimes")).Status.Should().Be(HttpStatusCode.NoContent);
        (await KeptAsync(there)).Should().Be((30, 30));
        await VtpApi.UntilAsync(async () => await KeptAsync(administrator) == (30, 30), "the first node to hear of it");
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'cache.lifetimes_reset'")).Should().Be(1);

        static async Task<(int Now, int Usually)> KeptAsync(Person person)
        {
            var statistics = (await person.GetAsync("admin/cache/stats")).Body.GetProperty("prefixes").EnumerateArray().Single(one => one.GetProperty("prefix").GetString() == "stats");
            return (statistics.GetProperty("keep_seconds").GetInt32(), statistics.GetProperty("usual_keep_seconds").GetInt32());
        }
    }

    [Fact]
    public async Task Optimizing_has_read_ahead_what_is_asked_for_and_not_at_hand()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        await api.QueryAsync<int>("UPDATE api_keys SET last_used_at = now() WHERE project_id = $1", project.Id);

        var report = (await administrator.PostAsync("/api/performance/optimize")).Body;

        var cold = report.GetProperty("findings").EnumerateArray().Single(finding => finding.GetProperty("rule").GetString() == "cache_cold").GetProperty("evidence");
        cold.GetProperty("cold").GetDouble().Should().BePositive().And.BeLessThanOrEqualTo(cold.GetProperty("wanted").GetDouble());
        report.GetProperty("applied").EnumerateArray().Select(done => done.GetString()).Should().Contain("A job 'cache.warm' reads them ahead.");
        await VtpApi.UntilAsync(
            async () => !(await administrator.PostAsync("/api/performance/optimize", new { apply = false })).Text.Contains("cache_cold", StringComparison.Ordinal), "them to be at hand");
    }
}

/// <summary>A server for which a quarter of a second is slow, and whose database reader breaks when a test says so.</summary>
public sealed class PerformanceApi : VtpApi
{
    public bool IsBroken { get; set; }

    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("Performance:SlowQuery", "00:00:00.250")];

    protected override void Replace(IServiceCollection services)
    {
        var real = services.Last(service => service.ServiceType == typeof(IDatabasePerformance)).ImplementationType!;
        services.AddSingleton<IDatabasePerformance>(provider => new Breaking((IDatabasePerformance)ActivatorUtilities.CreateInstance(provider, real), this));
    }

    private sealed class Breaking(IDatabasePerformance inner, PerformanceApi api) : IDatabasePerformance
    {
        public Task<IReadOnlyList<SlowQuery>?> SlowQueriesAsync(double slowMs, CancellationToken cancellationToken) =>
            api.IsBroken ? throw new InvalidDataException("Broken for a test.") : inner.SlowQueriesAsync(slowMs, cancellationToken);

        public Task<IReadOnlyList<StaleTable>> StaleTablesAsync(CancellationToken cancellationToken) => inner.StaleTablesAsync(cancellationToken);

        public Task<IReadOnlyList<ScannedTable>> ScannedTablesAsync(CancellationToken cancellationToken) => inner.ScannedTablesAsync(cancellationToken);

        public Task<bool> AnalyzeAsync(string table, CancellationToken cancellationToken) => inner.AnalyzeAsync(table, cancellationToken);
    }
}
