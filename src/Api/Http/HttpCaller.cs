using System.Diagnostics;
using Vtp.Application.Common;
using Vtp.Infrastructure.Tokens;

namespace Vtp.Api.Http;

/// <summary>The caller of this request. Outside a request (at start, in the background) it is nobody.</summary>
internal sealed class HttpCaller : ICaller
{
    private const int MaximumUserAgent = 512;
    private const string Scheme = "Bearer ";

    private HttpContext? _context;

    public SignedInAs? SignedIn { get; private set; }

    public string? IpAddress => _context?.Connection.RemoteIpAddress is { } address
        ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString()
        : null;

    public string? UserAgent => _context?.Request.Headers.UserAgent.ToString() is { Length: > 0 } agent
        ? agent[..Math.Min(agent.Length, MaximumUserAgent)]
        : null;

    public string? TraceId => _context?.TraceIdentifier();

    public string? IdempotencyKey => _context?.Request.Headers.TryGetValue("Idempotency-Key", out var key) == true ? key.ToString() : null;

    /// <summary>Believes the credential or nobody: a bad token makes an anonymous caller, whom a use case may refuse.</summary>
    public async ValueTask IdentifyAsync(HttpContext context, IAccessTokenReader tokens)
    {
        _context = context;
        var header = context.Request.Headers.Authorization;
        if (header.Count == 1 && header[0] is { } value && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            SignedIn = await tokens.ReadAsync(value[Scheme.Length..], context.RequestAborted);
        }
    }
}

internal static class CallerMiddleware
{
    public static void UseCaller(this WebApplication app)
    {
        var tokens = app.Services.GetRequiredService<IAccessTokenReader>();
        app.Use(async (context, next) =>
        {
            context.WriteStandardHeaders();
            await context.RequestServices.GetRequiredService<HttpCaller>().IdentifyAsync(context, tokens);
            await next(context);
        });
    }

    /// <summary>On every answer; once more on errors, because the exception handler begins those anew.</summary>
    public static void WriteStandardHeaders(this HttpContext context)
    {
        context.Response.Headers["X-Request-ID"] = context.TraceIdentifier();
        context.Response.Headers.XContentTypeOptions = "nosniff";
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
