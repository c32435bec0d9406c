using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Webhooks;
using Vtp.Domain.Webhooks;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Webhooks;

/// <summary>
/// HTTP/1.1 by <see cref="GuardedConnections"/>. No proxy, which would connect for us and unjudged; no redirect, which would name
/// another address; no cookies; nothing is decompressed, so that no small answer becomes a large one.
/// </summary>
internal sealed class WebhookSender : IWebhookSender, IDisposable
{
    private const int KeptBytes = 16 * 1024;
    private const int HeaderKilobytes = 16;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    // A connection that is used again was judged when it was made; not for longer, so that DNS changes are seen.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ConnectionIdle = TimeSpan.FromSeconds(30);

    private static readonly Meter Meter = new(Telemetry.Name);
    private static readonly Histogram<double> Duration =
        Meter.CreateHistogram<double>("vtp.webhooks.attempt.duration", "s", "How long attempts to deliver took, by the class of the answer, or why there was none.");

    private readonly WebhookUrlRules _rules;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _clock;
    private readonly HttpMessageInvoker _http;

    public WebhookSender(WebhookUrlRules rules, ResolveName resolve, TimeSpan timeout, TimeProvider clock)
    {
        (_rules, _timeout, _clock) = (rules, timeout, clock);
        var connections = new GuardedConnections(rules, resolve);
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = (context, cancellationToken) => connections.ConnectAsync(context.DnsEndPoint, cancellationToken),
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = ConnectionLifetime,
            PooledConnectionIdleTimeout = ConnectionIdle,
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = HeaderKilobytes,
            // What is not read is not waited for either: the connection is dropped.
            MaxResponseDrainSize = 0,
            // An attempt carries the trace of its event, among its headers; not of whatever this process works on.
            ActivityHeadersPropagator = null,
        });
    }

    public async Task<WebhookAnswer> SendAsync(WebhookRequest request, CancellationToken cancellationToken)
    {
        var answer = await TrySendAsync(request, cancellationToken);
        Duration.Record(answer.Duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", OutcomeOf(answer)));
        return answer;
    }

    /// <summary>2xx, 4xx and so on, or a word.</summary>
    private static string OutcomeOf(WebhookAnswer answer) => answer.Status switch
    {
        >= 100 and <= 599 and var status => $"{status / 100}xx",
        null => VtpDbContext.SnakeCase(answer.Outcome.ToString()),
        _ => "other",
    };

    private async Task<WebhookAnswer> TrySendAsync(WebhookRequest request, CancellationToken cancellationToken)
    {
        var started = _clock.GetTimestamp();
        if (_rules.Check(request.Url).Refusal is { } refusal)
        {
            return Without(WebhookOutcome.Refused, refusal.Detail, started);
        }

        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        attempt.CancelAfter(_timeout);
        using var message = Message(request);
        try
        {
            using var response = await _http.SendAsync(message, attempt.Token);
            return await ReadAsync(response, started, attempt.Token, cancellationToken);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Without(WebhookOutcome.TimedOut, "No answer came in time.", started);
        }
        catch (HttpRequestException exception)
        {
            var (outcome, detail) = Explain(exception);
            return Without(outcome, detail, started);
        }
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Message(WebhookRequest request)
    {
        var message = new HttpRequestMessage(HttpMethod.Post, request.Url)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ReadOnlyMemoryContent(request.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        message.Headers.UserAgent.Add(new ProductInfoHeaderValue("VTP-Webhooks", "1.0"));
        message.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        foreach (var (name, value) in request.Headers)
        {
            message.Headers.Add(name, value);
        }

        return message;
    }

    private static (WebhookOutcome Outcome, string Detail) Explain(HttpRequestException exception)
    {
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case AddressRefusedException:
                    return (WebhookOutcome.Refused, cause.Message);
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery }:
                    return (WebhookOutcome.NameNotResolved, "The name of the host has no address.");
                case SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted }:
                    return (WebhookOutcome.Reset, "The connection was reset before there was an answer.");
            }
        }

        return exception.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => (WebhookOutcome.NameNotResolved, "The name of the host has no address."),
            HttpRequestError.ConnectionError => (WebhookOutcome.NotConnected, "Nobody accepts connections at this address."),
            HttpRequestError.SecureConnectionError => (WebhookOutcome.TlsFailed, "TLS failed: the certificate is not trusted, or is another host's, or there is none."),
            HttpRequestError.ResponseEnded => (WebhookOutcome.Reset, "The connection ended before there was an answer."),
            HttpRequestError.ConfigurationLimitExceeded => (WebhookOutcome.ProtocolBroken, $"The answer has more than {HeaderKilobytes} KiB of headers."),
            HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError => (WebhookOutcome.ProtocolBroken, "The answer is not HTTP/1.1."),
            _ => (WebhookOutcome.Reset, "The connection broke before there was an answer."),
        };
    }

    // The status is the answer: a body that stalls or breaks does not take it back, and would be sent the event again for nothing.
    private async Task<WebhookAnswer> ReadAsync(HttpResponseMessage response, long started, CancellationToken attempt, CancellationToken caller)
    {
        var kept = new byte[KeptBytes];
        var length = 0;
        bool isTruncated;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(attempt);
            int read;
            while (length < kept.Length && (read = await body.ReadAsync(kept.AsMemory(length), attempt)) > 0)
            {
                length += read;
            }

            isTruncated = length == kept.Length && response.Content.Headers.ContentLength != length;
        }
        catch (Exception exception) when ((exception is OperationCanceledException && !caller.IsCancellationRequested) || exception is IOException or HttpRequestException)
        {
            isTruncated = true;
        }

        var retryAfter = response.Headers.TryGetValues("Retry-After", out var values) ? values.First() : null;
        return new WebhookAnswer(
            WebhookOutcome.Answered,
            (int)response.StatusCode,
            response.Content.Headers.ContentEncoding.Any(encoding => encoding != "identity") ? null : Text(kept.AsSpan(0, length)),
            isTruncated,
            RetrySchedule.ReadRetryAfter(retryAfter, _clock.GetUtcNow()),
            _clock.GetElapsedTime(started),
            Detail: null);
    }

    // PostgreSQL's text holds no NUL, and nothing that is not UTF-8.
    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes).Replace('\0', '\uFFFD');

    private WebhookAnswer Without(WebhookOutcome outcome, string detail, long started) =>
        new(outcome, Status: null, Body: null, IsTruncated: false, RetryAfter: null, _clock.GetElapsedTime(started), detail);
}
