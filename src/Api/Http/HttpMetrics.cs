using System.Diagnostics.Metrics;
using Vtp.Application.Common.Pipeline;

namespace Vtp.Api.Http;

/// <summary>What those who watch for attacks count. Duration and number of all requests are counted by the framework.</summary>
internal static class HttpMetrics
{
    private static readonly Meter Meter = new(Telemetry.Name);

    private static readonly Counter<long> AuthFailures =
        Meter.CreateCounter<long>("vtp.http.auth_failures", description: "Requests that were refused for want of a good credential (401).");

    private static readonly Counter<long> RateLimited =
        Meter.CreateCounter<long>("vtp.http.rate_limited", description: "Requests that were refused because there were too many (429).");

    /// <summary>Of any refusal, so that who watches one of them sees it at zero before it happens.</summary>
    public static void Refused(int status)
    {
        AuthFailures.Add(status == StatusCodes.Status401Unauthorized ? 1 : 0);
        RateLimited.Add(status == StatusCodes.Status429TooManyRequests ? 1 : 0);
    }
}
