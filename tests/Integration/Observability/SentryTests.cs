using System.Diagnostics;
using System.Net;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Vtp.Infrastructure.Observability.Sentry;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Observability;

public sealed partial class SentryTests
{
    [Fact]
    public async Task An_error_arrives_with_its_trace_and_without_what_it_was_about()
    {
        await using var sentry = await SentryDouble.StartAsync();
        await using var provider = Provider(sentry.Dsn);
        using var activity = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();
        Exception failure;
        try
        {
            throw new InvalidOperationException("noor@school.example at 192.0.2.7 sent vtp_sk_live_abcdefghijklmnopqrstuvwxyz012345", new TimeoutException("The pool is empty."));
        }
        catch (InvalidOperationException exception)
        {
            failure = exception;
        }

        LogFailed(provider.CreateLogger("Vtp.Api"), "canary-field", failure);
        await VtpApi.UntilAsync(() => !sentry.Received.IsEmpty, "an envelope");

        var envelope = sentry.Received.Single();
        envelope.Path.Should().Be("/sentry/api/42/envelope/");
        envelope.Auth.Should().StartWith("Sentry sentry_version=7").And.Contain("sentry_key=abc123");
        envelope.Item.GetProperty("type").GetString().Should().Be("event");
        envelope.Item.GetProperty("length").GetInt32().Should().Be(Encoding.UTF8.GetByteCount(envelope.Text.Split('\n')[2]));
        envelope.Event.GetProperty("event_id").GetString().Should().Be(envelope.Header.GetProperty("event_id").GetString()).And.HaveLength(32);
        envelope.Event.GetProperty("logentry").GetProperty("formatted").GetString().Should().Be("It failed for {Who}");
        envelope.Event.GetProperty("environment").GetString().Should().Be("staging");
        envelope.Event.GetProperty("release").GetString().Should().StartWith("vtp@");
        envelope.Event.GetProperty("contexts").GetProperty("trace").GetProperty("trace_id").GetString().Should().Be(activity.TraceId.ToHexString());
        var causes = envelope.Event.GetProperty("exception").GetProperty("values").EnumerateArray().ToList();
        causes.Select(cause => cause.GetProperty("type").GetString()).Should().Equal("System.TimeoutException", "System.InvalidOperationException");
        causes[0].GetProperty("value").GetString().Should().Be("The pool is empty.");
        causes[1].GetProperty("stacktrace").GetProperty("frames").EnumerateArray().Last().GetProperty("function").GetString().Should().Contain("An_error_arrives");
        envelope.Text.Should().NotContain("canary").And.NotContain("noor@").And.NotContain("192.0.2.7").And.NotContain("vtp_sk_live");
    }

    [Fact]
    public async Task What_is_no_error_is_not_told()
    {
        await using var sentry = await SentryDouble.StartAsync();
        await using var provider = Provider(sentry.Dsn);
        var logger = provider.CreateLogger("Vtp");

        LogWarning(logger);
        LogFailed(logger, "x", new InvalidDataException("the only one"));
        await VtpApi.UntilAsync(() => !sentry.Received.IsEmpty, "an envelope");

        sentry.Received.Should().ContainSingle().Which.Text.Should().Contain("the only one");
    }

    [Fact]
    public async Task A_Sentry_that_never_answers_holds_up_nobody()
    {
        await using var sentry = await SentryDouble.StartAsync();
        sentry.Answer = context => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        await using var provider = Provider(sentry.Dsn);
        var logger = provider.CreateLogger("Vtp");
        var exception = new InvalidDataException("again and again");

        var started = Stopwatch.GetTimestamp();
        for (var index = 0; index < 10_000; index++)
        {
            LogFailed(logger, "x", exception);
        }

        Stopwatch.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(2), "what finds the queue full is let go");
        await VtpApi.UntilAsync(() => !sentry.Received.IsEmpty, "the first envelope");
        sentry.Received.Should().HaveCountLessThanOrEqualTo(2);
    }

    [Fact]
    public async Task A_Sentry_that_is_away_is_no_error_of_its_own()
    {
        await using var sentry = await SentryDouble.StartAsync();
        var dsn = sentry.Dsn;
        await sentry.DisposeAsync();
        await using var provider = Provider(dsn);

        LogFailed(provider.CreateLogger("Vtp"), "x", new InvalidDataException("nobody hears it"));
    }

    [Fact]
    public async Task Sentry_is_left_alone_for_as_long_as_it_asks()
    {
        await using var sentry = await SentryDouble.StartAsync();
        sentry.Answer = context =>
        {
            context.Response.StatusCode = (int)HttpStatusCode.TooManyRequests;
            context.Response.Headers.RetryAfter = "30";
            return Task.CompletedTask;
        };
        var clock = new MovableClock();
        await using var provider = Provider(sentry.Dsn, clock);
        var logger = provider.CreateLogger("Vtp");
        LogFailed(logger, "x", new InvalidDataException("refused"));
        await VtpApi.UntilAsync(() => !sentry.Received.IsEmpty, "the refusal");

        // What is told meanwhile is let go; the first one after the pause arrives.
        await VtpApi.UntilAsync(
            () =>
            {
                LogFailed(logger, "x", new InvalidDataException("meanwhile"));
                clock.Advance(TimeSpan.FromSeconds(1));
                return sentry.Received.Count > 1;
            },
            "the end of the pause");

        clock.GetUtcNow().Should().BeAfter(DateTimeOffset.UtcNow + TimeSpan.FromSeconds(25));
    }

    [Fact]
    public void A_share_of_nothing_sends_nothing() =>
        SentryOptions.Read(Settings(("SENTRY_DSN", "https://k@sentry.example.com/1"), ("SENTRY_SAMPLE_RATE", "0")))!.SampleRate.Should().Be(0);

    private static SentryLoggerProvider Provider(string dsn, TimeProvider? clock = null) =>
        new(SentryOptions.Read(Settings(("SENTRY_DSN", dsn), ("SENTRY_ENVIRONMENT", "staging")))!, clock ?? TimeProvider.System);

    private static IConfiguration Settings(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(one => one.Name, one => (string?)one.Value, StringComparer.Ordinal)).Build();

    [LoggerMessage(Level = LogLevel.Error, Message = "It failed for {Who}")]
    private static partial void LogFailed(ILogger logger, string who, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "It went wrong once")]
    private static partial void LogWarning(ILogger logger);
}
