using System.Diagnostics.Metrics;
using Vtp.Application.Common.Pipeline;

namespace Vtp.Infrastructure.Jobs;

/// <summary>What a job that is done leaves behind: numbers by kind.</summary>
internal sealed class JobMetrics : IDisposable
{
    private readonly Meter _meter = new(Telemetry.Name);
    private readonly Counter<long> _enqueued;
    private readonly Counter<long> _run;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _dead;
    private readonly Counter<long> _rescued;
    private readonly Histogram<double> _duration;
    private double _oldestSeconds;

    public JobMetrics()
    {
        _enqueued = _meter.CreateCounter<long>("vtp.jobs.enqueued", description: "Jobs put into the queue, those of transactions that then failed included.");
        _run = _meter.CreateCounter<long>("vtp.jobs.run", description: "Jobs done.");
        _failed = _meter.CreateCounter<long>("vtp.jobs.failed", description: "Runs that failed, the last one included.");
        _dead = _meter.CreateCounter<long>("vtp.jobs.dead", description: "Jobs given up.");
        _rescued = _meter.CreateCounter<long>("vtp.jobs.rescued", description: "Jobs whose node stopped answering.");
        _duration = _meter.CreateHistogram<double>("vtp.jobs.duration", "s", "How long a run took, by its kind and outcome.");
        _meter.CreateObservableGauge("vtp.jobs.oldest", () => Volatile.Read(ref _oldestSeconds), "s", "For how long the oldest job has been due.");
    }

    public void Enqueued(string kind) => _enqueued.Add(1, Of(kind));

    public void Ran(string kind) => _run.Add(1, Of(kind));

    public void Failed(string kind) => _failed.Add(1, Of(kind));

    public void Dead(string kind) => _dead.Add(1, Of(kind));

    public void Rescued(string kind) => _rescued.Add(1, Of(kind));

    public void Took(string kind, string outcome, TimeSpan time) => _duration.Record(time.TotalSeconds, Of(kind), new("outcome", outcome));

    public void OldestIs(TimeSpan age) => Volatile.Write(ref _oldestSeconds, Math.Max(age.TotalSeconds, 0));

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Of(string kind) => new("kind", kind);
}
