using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Vtp.Integration.Fixture;
using Vtp.Integration.Startup;

namespace Vtp.Integration.Observability;

/// <summary>A process of its own: meters belong to the process, and other tests have theirs.</summary>
public sealed class MetricsPageTests(VtpFolder folder) : IClassFixture<VtpFolder>
{
    [Fact]
    public async Task Prometheus_accepts_what_a_busy_server_says_of_itself()
    {
        await using var server = await StartAsync();
        using (var odd = new HttpRequestMessage(new HttpMethod("BREW"), "/coffee"))
        {
            await server.Http.SendAsync(odd);
        }

        for (var index = 0; index < 20; index++)
        {
            await server.Http.GetAsync(new Uri($"/nowhere/{index}", UriKind.Relative));
            await server.Http.GetAsync(new Uri($"/api/v1/projects/{Guid.NewGuid()}?token=canary{index}", UriKind.Relative));
        }

        await server.SignInAsync("nobody@school.example", "wrong password");
        var page = await UntilAsync(server, page => page.Sum("p2p_tracker_http_requests_total", "/auth/login") == 1 && page.Names.Contains("vtp_jobs", StringComparer.Ordinal));

        (await page.ComplaintsAsync()).Should().BeEmpty();
        page.Text.Should().NotContain("canary").And.NotContain("nowhere").And.NotContain("BREW").And.NotContain("Host=");
        page.Sum("p2p_tracker_http_requests_total", "path=\"unknown\"", "status=\"404\"", "method=\"GET\"").Should().Be(20);
        page.Sum("p2p_tracker_http_requests_total", "path=\"/api/v1/projects/{id:guid}\"", "status=\"401\"").Should().Be(20);
        page.Series.Keys.Where(series => series.StartsWith("p2p_tracker_http_requests_total{method=\"_OTHER\"", StringComparison.Ordinal)).Should().ContainSingle();
        page.Series.Should().Contain("p2p_tracker_auth_failures_total", 21);
        page.Sum("vtp_use_case_duration_seconds_count", "use_case=\"SignInCommand\"").Should().Be(1);
        page.Names.Should().Contain([
            "process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds", "dotnet_gc_collections_total",
            "db_client_connections", "db_client_connections_max", "kestrel_active_connections", "vtp_jobs_age_seconds", "vtp_events_lag",
            "vtp_webhooks_pending", "vtp_audit_head", "vtp_audit_unsealed_age_seconds", "vtp_build_info",
        ]);
        page.Series.Keys.Where(series => series.StartsWith("db_client_connections_max", StringComparison.Ordinal))
            .Should().BeEquivalentTo("db_client_connections_max{pool=\"main\"}", "db_client_connections_max{pool=\"reads\"}");
    }

    [Fact]
    public async Task A_histogram_adds_up()
    {
        await using var server = await StartAsync();
        for (var index = 0; index < 7; index++)
        {
            await server.Http.GetAsync(new Uri("/health/live", UriKind.Relative));
        }

        var page = await UntilAsync(server, page => page.Sum("p2p_tracker_http_requests_total", "/health/live") >= 7);

        var buckets = page.Series.Where(series => series.Key.StartsWith("p2p_tracker_http_request_duration_seconds_bucket", StringComparison.Ordinal)
            && series.Key.Contains("/health/live", StringComparison.Ordinal)).ToList();
        buckets.Select(bucket => Regex.Match(bucket.Key, "(?<=le=\")[^\"]+", RegexOptions.None, TimeSpan.FromSeconds(1)).Value)
            .Should().Equal("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf");
        buckets.Select(bucket => bucket.Value).Should().BeInAscendingOrder();
        buckets[^1].Value.Should().Be(7).And.Be(page.Sum("p2p_tracker_http_request_duration_seconds_count", "/health/live"));
        page.Sum("p2p_tracker_http_request_duration_seconds_sum", "/health/live").Should().BeInRange(0, 7);
    }

    [Fact]
    public async Task OpenMetrics_is_for_those_who_ask_for_it()
    {
        await using var server = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(InternalOf(server), "/metrics"));
        request.Headers.Accept.ParseAdd("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");

        using var response = await server.Http.SendAsync(request);

        response.Content.Headers.ContentType.Should().Be(MediaTypeHeaderValue.Parse("application/openmetrics-text; version=1.0.0; charset=utf-8"));
        var text = await response.Content.ReadAsStringAsync();
        text.Should().EndWith("\n# EOF\n").And.Contain("# TYPE dotnet_gc_collections counter\n").And.Contain("\ndotnet_gc_collections_total{")
            .And.Contain("# UNIT process_cpu_seconds seconds\n").And.Contain("le=\"1.0\"").And.NotContain("# TYPE dotnet_gc_collections_total");
        using var plain = await server.Http.GetAsync(new Uri(InternalOf(server), "/metrics"));
        plain.Content.Headers.ContentType.Should().Be(MediaTypeHeaderValue.Parse("text/plain; version=0.0.4; charset=utf-8"));
    }

    [Fact]
    public async Task The_internal_port_serves_numbers_and_profiles_and_nothing_else_and_the_public_one_no_numbers()
    {
        var database = await TestPostgres.NewDatabaseAsync();
        await using var server = await StartAsync(database);
        var inside = InternalOf(server);

        inside.Host.Should().Be("127.0.0.1");
        (await server.Http.GetAsync(new Uri(inside, "/metrics"))).StatusCode.Should().Be(HttpStatusCode.OK);
        (await server.Http.GetAsync(new Uri(inside, "/health"))).StatusCode.Should().Be(HttpStatusCode.NotFound);
        (await server.Http.GetAsync(new Uri(inside, "/api/v1/auth/profile"))).StatusCode.Should().Be(HttpStatusCode.NotFound);
        (await server.Http.GetAsync(new Uri(inside, "/api/performance/metrics"))).StatusCode.Should().Be(HttpStatusCode.NotFound);
        (await server.Http.GetAsync(new Uri("/debug/pprof/threads", UriKind.Relative))).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        (await server.Http.GetStringAsync(new Uri(inside, "/debug/pprof/"))).Should().Contain("/debug/pprof/contention");
        (await server.Http.GetAsync(new Uri(inside, "/debug/pprof/profile?seconds=61"))).StatusCode.Should().Be(HttpStatusCode.BadRequest);
        using (var threads = await server.Http.GetAsync(new Uri(inside, "/debug/pprof/threads")))
        {
            threads.StatusCode.Should().Be(HttpStatusCode.OK);
            threads.Headers.CacheControl!.NoStore.Should().BeTrue();
            (await threads.Content.ReadAsStringAsync()).Should().Contain("System.Threading");
        }

        await using var trail = Npgsql.NpgsqlDataSource.Create($"{database};Options=-c vtp.tenants=*");
        await using var entries = trail.CreateCommand("SELECT actor_type || ' ' || ip_address || ' ' || target_name FROM audit_entries WHERE action = 'installation.profile_taken' AND outcome = 'succeeded'");
        (await entries.ExecuteScalarAsync()).Should().Be("anonymous 127.0.0.1 threads");
        (await server.Http.GetAsync(new Uri("/metrics", UriKind.Relative))).StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task An_internal_port_that_is_taken_is_one_sentence()
    {
        using var other = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        (await Refusal.OfAsync(folder, ["--internal-port", $"{port}"], [("ConnectionStrings__Vtp", await TestPostgres.NewDatabaseAsync())]))
            .Should().Be($"Internal:Port {port} is in use: stop the program that uses it, or choose another one.");
    }

    internal static Uri InternalOf(RealServer server) =>
        new(Regex.Match(server.Output, @"(?<=Metrics are served on )http://\S+?(?=,)", RegexOptions.None, TimeSpan.FromSeconds(1)).Value);

    /// <summary>A request is counted once its answer has gone.</summary>
    private static async Task<Scrape> UntilAsync(RealServer server, Func<Scrape, bool> condition)
    {
        Scrape? page = null;
        await VtpApi.UntilAsync(async () => condition(page = await Scrape.OfAsync(server.Http, InternalOf(server))), "the numbers");
        return page!;
    }

    private async Task<RealServer> StartAsync(string? database = null) =>
        await RealServer.ServeAsync(folder, ["--internal-port", "0"], [("ConnectionStrings__Vtp", database ?? await TestPostgres.NewDatabaseAsync())]);
}
