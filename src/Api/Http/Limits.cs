using System.Globalization;
using Vtp.Application.Common;

namespace Vtp.Api.Http;

/// <summary>
/// The door of the API: a request over its limits costs no more than its refusal. What was left is told on every answer, in
/// the fields of the IETF's draft on RateLimit header fields.
/// </summary>
internal static class Limits
{
    public const string PolicyHeader = "RateLimit-Policy";
    public const string Header = "RateLimit";

    /// <summary>After the caller is known, and before anything that they sent is read.</summary>
    public static void UseLimits(this WebApplication app)
    {
        var limiter = app.Services.GetRequiredService<IRateLimiter>();
        var policies = RateLimitPolicies.Defaults.Keys.ToDictionary(name => name, name => Describe(name, limiter.PolicyOf(name)), StringComparer.Ordinal);
        app.Use((context, next) => context.GetEndpoint()?.Metadata.GetMetadata<UseCaseLimits>() is { } limits
            ? EnterAsync(context, limits, policies, next)
            : next(context));
    }

    private static async Task EnterAsync(HttpContext context, UseCaseLimits limits, Dictionary<string, string> policies, RequestDelegate next)
    {
        var account = context.RequestServices.GetRequiredService<RequestLimits>();

        // On its way out, because the last word may be spoken deep inside, and an error begins the answer anew.
        context.Response.OnStarting(() =>
        {
            Write(context.Response.Headers, account, policies);
            return Task.CompletedTask;
        });
        if (await account.EnterAsync(limits, context.RequestAborted) is { } refusal)
        {
            await Problems.WriteAsync(context, refusal);
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            // Not with the request's own token: who hangs up has asked all the same.
            await account.SettleAsync(CancellationToken.None);
        }
    }

    private static void Write(IHeaderDictionary headers, RequestLimits account, Dictionary<string, string> policies)
    {
        if (account.Latest is not { States.Count: > 0 } latest)
        {
            return;
        }

        // On every answer: one budget is the usual case, and two the next.
        string? described = null, left = null;
        Span<char> room = stackalloc char[64];
        for (var index = 0; index < latest.States.Count; index++)
        {
            var state = latest.States[index];
            var budget = string.Create(CultureInfo.InvariantCulture, room, $"\"{state.Policy}\";r={state.Remaining};t={WholeSeconds(state.UntilMore)}");
            (described, left) = described is null ? (policies[state.Policy], budget) : ($"{described}, {policies[state.Policy]}", $"{left}, {budget}");
        }

        headers[PolicyHeader] = described;
        headers[Header] = left;
    }

    private static string Describe(string name, RateLimitPolicy policy) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{name}\";q={policy.Limit};w={WholeSeconds(policy.Period)}");

    private static long WholeSeconds(TimeSpan time) => (long)Math.Ceiling(time.TotalSeconds);
}
