using System.Net;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;
using Vtp.Integration.Webhooks;

namespace Vtp.Integration.Observability;

public sealed class TraceTests(TracedApi api) : IClassFixture<TracedApi>
{
    [Fact]
    public async Task One_trace_leads_from_a_request_by_its_event_and_job_to_the_webhook_that_tells_of_it()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var school = await api.FoundSchoolAsync();
        var hook = await school.HookAsync(receiver.Url);

        (await hook.RenameAsync("Traced")).Status.Should().Be(HttpStatusCode.OK);
        await receiver.UntilAsync(1, "project.updated");
        var attempt = await api.SpanAsync(span => span.Name == "webhook attempt" && span.Attributes.GetValueOrDefault("vtp.event.id") == receiver.Of("project.updated").Single().Id);

        var run = await ParentAsync(attempt);
        var job = await ParentAsync(run);
        var command = await ParentAsync(job);
        var request = await ParentAsync(command);
        new[] { run.Name, job.Name, command.Name, request.Name }
            .Should().Equal("DeliverWebhooksCommand", "job webhooks.deliver", "UpdateProjectCommand", "PUT /api/v1/projects/{id:guid}");
        request.Parent.Should().BeEmpty();
        request.Attributes["http.route"].Should().Be("/api/v1/projects/{id:guid}");
        request.Attributes["http.response.status_code"].Should().Be("200");
        attempt.Attributes["http.response.status_code"].Should().Be("204");
        attempt.Attributes["server.address"].Should().Be("127.0.0.1");
        receiver.Of("project.updated").Single().Headers["traceparent"].Should().Be($"00-{attempt.Trace}-{attempt.Id}-01");
        receiver.Of("project.updated").Single().Json["trace_id"]!.GetValue<string>().Should().Be(attempt.Trace);
        (await api.SpanAsync(span => span.Parent == command.Id && span.Attributes.ContainsKey("db.query.text"))).Trace.Should().Be(attempt.Trace);
    }

    [Fact]
    public async Task Events_that_runs_send_together_stay_in_traces_of_their_own()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var school = await api.FoundSchoolAsync();
        var hook = await school.HookAsync(receiver.Url);

        for (var index = 0; index < 8; index++)
        {
            (await hook.RenameAsync($"Name {index}")).Status.Should().Be(HttpStatusCode.OK);
        }

        await receiver.UntilAsync(8, "project.updated");

        foreach (var told in receiver.Of("project.updated"))
        {
            var attempt = await api.SpanAsync(span => span.Name == "webhook attempt" && span.Attributes.GetValueOrDefault("vtp.event.id") == told.Id);
            attempt.Trace.Should().Be(told.Json["trace_id"]!.GetValue<string>());
            (attempt.Links.Count == 1 || (await ParentAsync(attempt)).Name == "DeliverWebhooksCommand").Should().BeTrue("the run that sent it is known either way");
        }
    }

    [Fact]
    public async Task A_mail_is_sent_in_the_trace_of_who_asked_for_it()
    {
        var person = await api.RegisterAsync();
        await api.TokenFromMailAsync(person.Email, "verify");

        var register = await api.SpanAsync(span => span.Name == "POST /api/v1/auth/register" && span.Attributes["http.response.status_code"] == "201");
        var job = await api.SpanAsync(span => span.Name == "job email.send" && span.Trace == register.Trace);

        (await ParentAsync(job)).Name.Should().Be("RegisterAccountCommand");
    }

    [Fact]
    public async Task A_client_goes_on_with_its_own_trace()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/auth/profile?token=canary-query");
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
        await api.Http.SendAsync(request);

        var span = await api.SpanAsync(span => span.Trace == "0af7651916cd43dd8448eb211c80319c" && span.Name == "GET /api/v1/auth/profile");

        span.Parent.Should().Be("b7ad6b7169203331");
        api.Collector.Text.Should().NotContain("canary-query");
    }

    [Fact]
    public async Task Probes_make_no_spans()
    {
        await api.Http.GetAsync(new Uri("/health/ready", UriKind.Relative));
        await api.Http.GetAsync(new Uri("/api/v1/nothing/after", UriKind.Relative));

        await api.SpanAsync(span => span.Name == "GET" && span.Attributes.GetValueOrDefault("http.response.status_code") == "404");
        api.Collector.Spans.Should().NotContain(span => span.Name.Contains("/health"));
    }

    private Task<ReceivedSpan> ParentAsync(ReceivedSpan span) => api.SpanAsync(other => other.Id == span.Parent && other.Trace == span.Trace);
}

/// <summary>A server that sends its traces, logs and metrics to a collector, and may send webhooks to this machine.</summary>
public sealed class TracedApi : VtpApi, IAsyncLifetime
{
    public CollectorDouble Collector { get; private set; } = null!;

    protected override bool LogsAll => true;

    protected override IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new("Webhooks:AllowHttp", "true"),
        new("Webhooks:AllowedNetworks", "127.0.0.0/8"),
        new("OTEL_EXPORTER_OTLP_ENDPOINT", Collector.Url),
        new("OTEL_TRACES_SAMPLER", "always_on"), // The server's own counts the traces of a second, and hears those of all servers of this process.
        new("OTEL_BSP_SCHEDULE_DELAY", "100"),
        new("OTEL_BLRP_SCHEDULE_DELAY", "100"),
        new("OTEL_METRIC_EXPORT_INTERVAL", "500"),
    ];

    async Task IAsyncLifetime.InitializeAsync()
    {
        Collector = await CollectorDouble.StartAsync();
        await InitializeAsync();
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await DisposeAsync();
        await Collector.DisposeAsync();
    }

    /// <summary>Once it has arrived.</summary>
    public async Task<ReceivedSpan> SpanAsync(Func<ReceivedSpan, bool> isIt)
    {
        ReceivedSpan? found = null;
        await UntilAsync(() => (found = Collector.Spans.FirstOrDefault(isIt)) is not null, "a span");
        return found!;
    }
}
