using System.Diagnostics;
using System.Net;
using Vtp.Application.Common;
using Vtp.Application.Realtime;
using Vtp.Application.Tracker;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Tenancy;
using Vtp.Infrastructure.Tokens;

namespace Vtp.Api.Http;

/// <summary>The caller of this request. Outside a request (at start, in the background) it is nobody.</summary>
internal sealed class HttpCaller(ITrackerKeys trackerKeys) : ICaller
{
    private const int MaximumUserAgent = 512;
    private const string PulseSecretHeader = "X-Pulse-Secret";

    private static readonly Refusal TwoCredentials =
        new(RefusalKind.Unauthenticated, "auth.two_credentials", "Send one credential: a bearer token or one API key.");

    private HttpContext? _context;
    private (string? Address, string? UserAgent)? _connection;

    public SignedInAs? SignedIn { get; private set; }

    public ProjectKey? Key { get; private set; }

    public TrackerCredential? Tracker { get; private set; }

    public Refusal? Rejected { get; private set; }

    public bool IsOperator { get; private set; }

    public bool IsSystem => _context is null && _connection is null;

    public string? IpAddress => _context is null ? _connection?.Address : AddressOf(_context)?.ToString();

    public string? UserAgent => _context is null ? _connection?.UserAgent : UserAgentOf(_context);

    /// <summary>In the background that of the work in hand: a job has the trace of whoever enqueued it.</summary>
    public string? TraceId => _context?.TraceIdentifier() ?? Activity.Current?.TraceId.ToHexString();

    public string? IdempotencyKey => _context?.Request.Headers.TryGetValue("Idempotency-Key", out var key) == true ? key.ToString() : null;

    /// <summary>
    /// Believes the credential or nobody: a bad token or key makes an anonymous caller, whom a use case may refuse. Of
    /// two credentials neither counts, so that nothing is done with powers that somebody did not mean to use.
    /// </summary>
    public ValueTask IdentifyAsync(HttpContext context, IAccessTokenReader tokens, IApiKeyReader keys)
    {
        (_context, SignedIn, Key, Tracker, Rejected) = (context, null, null, null, null);
        var sent = SentCredential.Of(context.Request.Headers);
        if (sent.AreTwo)
        {
            Rejected = TwoCredentials;
            return default;
        }

        return sent.Key is { } key ? IdentifyProjectAsync(key, keys)
            : sent.Token.IsEmpty ? default
            : sent.IsOfPeer ? IdentifyPeerAsync(sent.Token.ToString())
            : IdentifyPersonAsync(tokens.ReadAsync(sent.Token.Span, _context.RequestAborted));
    }

    /// <summary>For the internal port alone: whoever reaches it runs this server, and nobody knows who they are.</summary>
    public void Operates(HttpContext context) => (_context, IsOperator) = (context, true);

    /// <summary>Puts the session of a page's cookie in the place of whatever the headers said; null, or a token that is not good, makes nobody.</summary>
    public async ValueTask IdentifyAsync(string? accessToken, IAccessTokenReader tokens) =>
        (SignedIn, Key, Tracker, Rejected) = (accessToken is null ? null : await tokens.ReadAsync(accessToken, _context!.RequestAborted), null, null, null);

    /// <summary>For sockets, whose clients can set no header: by a key from elsewhere, where the headers named nobody.</summary>
    public ValueTask IdentifyByKeyAsync(string key, IApiKeyReader keys) =>
        SignedIn is null && Key is null && Tracker is null && Rejected is null ? IdentifyProjectAsync(key, keys) : default;

    /// <summary>Whoever a connection belongs to that is no request: what it sends is done for them.</summary>
    public void Identify(Connected? connected, IPAddress? address, string? userAgent) =>
        (_connection, SignedIn, Key, Rejected) = ((address?.ToString(), userAgent), connected?.Person, connected?.Key, null);

    public static string? UserAgentOf(HttpContext context) => context.Request.Headers.UserAgent.ToString() is { Length: > 0 } agent
        ? agent[..Math.Min(agent.Length, MaximumUserAgent)]
        : null;

    /// <summary>IPv4 as such, also where it came in an address of IPv6.</summary>
    public static IPAddress? AddressOf(HttpContext context) =>
        context.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : context.Connection.RemoteIpAddress;

    private async ValueTask IdentifyPersonAsync(ValueTask<SignedInAs?> read)
    {
        SignedIn = await read;
        Rejected = SignedIn is null ? Refusal.Unauthenticated : null;
    }

    private async ValueTask IdentifyPeerAsync(string token) =>
        (Tracker, Rejected) = (await trackerKeys.ReadTokenAsync(token, _context!.Connection.RemoteIpAddress, _context.RequestAborted))
            .Match<(TrackerCredential?, Refusal?)>(known => (known, null), refusal => (null, refusal));

    private ValueTask IdentifyProjectAsync(string key, IApiKeyReader keys)
    {
        Tracker = trackerKeys.FindConfigured(key);
        return Tracker is null ? ReadProjectKeyAsync(key, keys) : default;
    }

    private async ValueTask ReadProjectKeyAsync(string key, IApiKeyReader keys)
    {
        var secret = _context!.Request.Headers[PulseSecretHeader];
        var address = _context.Connection.RemoteIpAddress;
        (Key, Rejected) = (await keys.ReadAsync(key, secret.Count == 0 ? null : secret.ToString(), address, _context.RequestAborted))
            .Match<(ProjectKey?, Refusal?)>(known => (known, null), refusal => (null, refusal));
    }
}

internal static class CallerMiddleware
{
    public static void UseCaller(this WebApplication app)
    {
        var tokens = app.Services.GetRequiredService<IAccessTokenReader>();
        var keys = app.Services.GetRequiredService<IApiKeyReader>();
        app.Use((context, next) =>
        {
            context.WriteStandardHeaders();
            if (context.GetEndpoint()?.Metadata.GetMetadata<NeverStoredMetadata>() is not null)
            {
                context.Response.Headers.CacheControl = "no-store";
            }

            // Of a credential that was seen before it is known at once: then nothing waits here for the answer.
            var identified = context.RequestServices.GetRequiredService<HttpCaller>().IdentifyAsync(context, tokens, keys);
            return identified.IsCompletedSuccessfully ? next(context) : AfterAsync(identified, context, next);
        });
    }

    private static async Task AfterAsync(ValueTask identified, HttpContext context, RequestDelegate next)
    {
        await identified;
        await next(context);
    }

    /// <summary>On every answer; once more on errors, because the exception handler begins those anew.</summary>
    public static void WriteStandardHeaders(this HttpContext context)
    {
        context.Response.Headers["X-Request-ID"] = context.TraceIdentifier();
        SecurityHeaders.Write(context);
    }

    /// <summary>The W3C trace id, which is also in the logs, the spans and the audit trail.</summary>
    public static string TraceIdentifier(this HttpContext context) =>
        Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;

    /// <summary>Every request gets a trace id, its client's if that sent one (W3C Trace Context), also while nobody collects traces.</summary>
    public static void AddTraceIdentifiers(this IServiceCollection services) => services.AddHostedService<TraceIdentifiers>();

    private sealed class TraceIdentifiers : IHostedService, IDisposable
    {
        private readonly ActivityListener _listener = new()
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.PropagationData,
        };

        public Task StartAsync(CancellationToken cancellationToken)
        {
            ActivitySource.AddActivityListener(_listener);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose() => _listener.Dispose();
    }
}
