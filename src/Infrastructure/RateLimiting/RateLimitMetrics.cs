using System.Diagnostics.Metrics;
using Vtp.Application.Common;
using Vtp.Application.Common.Pipeline;

namespace Vtp.Infrastructure.RateLimiting;

/// <summary>What the limiter decided, by policy; whom it decided about is in no label.</summary>
internal sealed class RateLimitMetrics : IDisposable
{
    /// <summary>Where budgets were counted: for all nodes, for this node, or a share of them while Redis is away.</summary>
    public const string OnRedis = "redis";
    public const string OnNode = "node";
    public const string OnShare = "share";

    private readonly Meter _meter = new(Telemetry.Name);
    private readonly Counter<long> _decisions;
    private int _isAlone;

    public RateLimitMetrics()
    {
        _decisions = _meter.CreateCounter<long>("vtp.ratelimit.decisions", description: "Requests, by each policy that admitted or refused them and where it was counted.");
        _meter.CreateObservableGauge("vtp.ratelimit.alone", () => Volatile.Read(ref _isAlone), description: "1 while Redis is away and this node counts its share.");
    }

    public bool IsAlone => Volatile.Read(ref _isAlone) == 1;

    /// <summary>Of a refused request the policies that refused it.</summary>
    public void Decided(RateLimitDecision decision, string counted)
    {
        if (!_decisions.Enabled)
        {
            return;
        }

        var isAdmitted = decision.IsAdmitted;
        foreach (var state in decision.States)
        {
            if (isAdmitted || state.Wait > TimeSpan.Zero)
            {
                _decisions.Add(1, new("policy", state.Policy), new("outcome", isAdmitted ? "admitted" : "refused"), new("counted", counted));
            }
        }
    }

    /// <returns>Whether that is news.</returns>
    public bool Alone(bool isAlone) => Interlocked.Exchange(ref _isAlone, isAlone ? 1 : 0) != (isAlone ? 1 : 0);

    public void Dispose() => _meter.Dispose();
}
