using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Vtp.Application.Operations.Performance;

namespace Vtp.Infrastructure.Performance;

/// <summary>
/// Counts and times the requests of this node. Routes are those that the server has, by their templates, and methods those
/// that HTTP has, so that no client can make it grow.
/// </summary>
public sealed class RequestLog(TimeProvider clock)
{
    private const string NoRoute = "(none)";
    private const double SlowMs = 2000;

    private static readonly HashSet<string> Methods = new(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], StringComparer.Ordinal);

    private readonly ConcurrentDictionary<(string Method, string Route), Endpoint> _endpoints = new();
    private readonly Lock _lock = new();
    private readonly Samples _samples = new();
    private Counts _counts;

    internal Counts Total
    {
        get
        {
            lock (_lock)
            {
                return _counts;
            }
        }
    }

    /// <param name="method">As it was sent.</param>
    /// <param name="route">The template; null when there was none.</param>
    /// <param name="status">Of the answer.</param>
    /// <param name="elapsed">From the first header to the end of the answer.</param>
    /// <param name="hasWaited">On purpose: it counts, but says nothing of how fast the server is.</param>
    public void Add(string method, string? route, int status, TimeSpan elapsed, bool hasWaited)
    {
        var now = clock.GetTimestamp();
        var milliseconds = elapsed.TotalMilliseconds;
        var endpoint = _endpoints.GetOrAdd((Methods.Contains(method) ? method : "(other)", route ?? NoRoute), static _ => new Endpoint());
        endpoint.Add(status, milliseconds, now, clock.GetUtcNow(), hasWaited);
        lock (_lock)
        {
            _counts = _counts.With(status);
            if (!hasWaited)
            {
                _samples.Add(now, milliseconds);
            }
        }
    }

    /// <param name="since">A timestamp of the clock; 0 for all.</param>
    internal ResponseTimes Times(long since)
    {
        float[] samples;
        lock (_lock)
        {
            samples = _samples.Since(since);
        }

        return Samples.Describe(samples);
    }

    internal IReadOnlyList<EndpointPerformance> Endpoints() =>
        [.. _endpoints.Select(pair => pair.Value.View(pair.Key.Method, pair.Key.Route)).OrderByDescending(view => view.ResponseTime.P95 ?? 0)];

    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct Counts(long Requests, long Errors, long Refused, long Limited)
    {
        public Counts With(int status) =>
            new(Requests + 1, Errors + (status >= 500 ? 1 : 0), Refused + (status is >= 400 and < 500 ? 1 : 0), Limited + (status == 429 ? 1 : 0));

        public static Counts operator -(Counts left, Counts right) => new(
            left.Requests - right.Requests, left.Errors - right.Errors, left.Refused - right.Refused, left.Limited - right.Limited);
    }

    private sealed class Endpoint
    {
        private readonly Lock _lock = new();
        private readonly Samples _samples = new();
        private Counts _counts;
        private long _slow;
        private double? _lastMs;
        private DateTimeOffset _lastAt;

        public void Add(int status, double milliseconds, long at, DateTimeOffset now, bool hasWaited)
        {
            lock (_lock)
            {
                (_counts, _lastAt) = (_counts.With(status), now);
                if (!hasWaited)
                {
                    _lastMs = Math.Round(milliseconds, 3);
                    _slow += milliseconds > SlowMs ? 1 : 0;
                    _samples.Add(at, milliseconds);
                }
            }
        }

        public EndpointPerformance View(string method, string route)
        {
            lock (_lock)
            {
                return new EndpointPerformance(
                    method, route, _counts.Requests, _counts.Errors, _counts.Refused, _slow, Samples.Describe(_samples.Since(0)), _lastMs, _lastAt);
            }
        }
    }
}
