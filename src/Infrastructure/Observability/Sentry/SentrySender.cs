using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography;
using System.Threading.Channels;
using Vtp.Application.Common.Pipeline;

namespace Vtp.Infrastructure.Observability.Sentry;

/// <summary>
/// Sends errors one after another, beside everything else. Whoever has one to tell never waits: what finds the queue full, or
/// Sentry away, is counted and let go, for the log has it too.
/// </summary>
internal sealed class SentrySender : IAsyncDisposable
{
    internal const int QueueLength = 100;
    private const int Shares = 1_000_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    // After a refusal that names no time.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(60);

    private readonly SentryOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ActivityHeadersPropagator = null }) { Timeout = Patience };
    private readonly Channel<SentryEvent> _queue = Channel.CreateBounded<SentryEvent>(
        new BoundedChannelOptions(QueueLength) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private readonly Meter _meter = new(Telemetry.Name);
    private readonly Counter<long> _errors;
    private readonly Task _sending;
    private long _silentUntil;

    public SentrySender(SentryOptions options, TimeProvider clock)
    {
        (_options, _clock) = (options, clock);
        _errors = _meter.CreateCounter<long>("vtp.sentry.errors", description: "Errors by what became of them on their way to Sentry.");
        using (ExecutionContext.SuppressFlow())
        {
            _sending = Task.Run(SendAllAsync);
        }
    }

    public void Tell(SentryEvent error)
    {
        if (RandomNumberGenerator.GetInt32(Shares) >= _options.SampleRate * Shares)
        {
            Count("sampled_out");
        }
        else if (!_queue.Writer.TryWrite(error))
        {
            Count("dropped");
        }
    }

    /// <summary>The last words of a server that dies are worth a moment.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        _stopping.CancelAfter(LastWords);
        await _sending;
        _stopping.Dispose();
        _http.Dispose();
        _meter.Dispose();
    }

    private async Task SendAllAsync()
    {
        await foreach (var error in _queue.Reader.ReadAllAsync())
        {
            Count(await TrySendAsync(error));
        }
    }

    private async Task<string> TrySendAsync(SentryEvent error)
    {
        if (_clock.GetTimestamp() < _silentUntil || _stopping.IsCancellationRequested)
        {
            return "dropped";
        }

        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _options.Endpoint) { Content = new ByteArrayContent(error.ToEnvelope(_options)) };
            request.Content.Headers.ContentType = new("application/x-sentry-envelope");
            request.Headers.TryAddWithoutValidation("X-Sentry-Auth", $"Sentry sentry_version=7, sentry_client=vtp/{Otlp.Version}, sentry_key={_options.Key}");
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _stopping.Token);
            if (answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            {
                var pause = answer.Headers.RetryAfter?.Delta is { } asked && asked > TimeSpan.Zero ? asked : Pause;
                _silentUntil = _clock.GetTimestamp() + (long)(pause.TotalSeconds * _clock.TimestampFrequency);
            }

            return answer.IsSuccessStatusCode ? "sent" : "refused";
        }
#pragma warning disable CA1031 // An error about an error would be told in its turn; this one is counted.
        catch (Exception)
#pragma warning restore CA1031
        {
            return "lost";
        }
    }

    private void Count(string outcome) => _errors.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
}
