using System.Net;
using System.Net.Sockets;
using System.Reflection;
using MediatR;
using Vtp.Domain.Common;

namespace Vtp.Application.Common.Pipeline;

/// <summary>Spends one request of each declared budget; the first that is empty refuses.</summary>
internal sealed class RateLimitBehaviour<TRequest, TResponse>(IRateLimiter limiter, ICaller caller)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IResult<TResponse>
{
    private static readonly string[] Policies =
        [.. typeof(TRequest).GetCustomAttributes<RateLimitedAttribute>().Select(attribute => attribute.Policy)];

    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        foreach (var policy in Policies)
        {
            var decision = await limiter.AcquireAsync(policy, Partition(limiter.ScopeOf(policy), request), cancellationToken);
            if (!decision.Admitted)
            {
                return TResponse.Refused(RateLimitRefusal.After(decision.RetryAfter));
            }
        }

        return await next();
    }

    private string Partition(RateLimitScope scope, TRequest request) => scope switch
    {
        RateLimitScope.Account when caller.SignedIn is { } signedIn => signedIn.AccountId.ToString(),
        RateLimitScope.AddressAndTarget => $"{Network(caller.IpAddress)} {(request as IRateLimitTarget)?.RateLimitTarget}",
        _ => Network(caller.IpAddress),
    };

    /// <summary>IPv6 gives every subscriber 2^64 addresses; they are one caller.</summary>
    private static string Network(string? address) =>
        IPAddress.TryParse(address, out var parsed) && parsed.AddressFamily == AddressFamily.InterNetworkV6
            ? Convert.ToHexStringLower(parsed.GetAddressBytes().AsSpan(0, 8))
            : address ?? "";
}

internal static class RateLimitRefusal
{
    public const string Code = "rate_limit.exceeded";

    public static Refusal After(TimeSpan wait) =>
        new(RefusalKind.TooMany, Code, "Too many requests. Wait as long as Retry-After says.") { RetryAfter = wait };
}
