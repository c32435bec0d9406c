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

    public static void Refused(int status)
    {
        if (status == StatusCodes.Status401Unauthorized)
        {
            AuthFailures.Add(1);
        }
        else if (status == StatusCodes.Status429TooManyRequests)
        {
            RateLimited.Add(1);
        }
    }
}
