using System.Diagnostics;
using OpenTelemetry.Trace;

namespace Vtp.Infrastructure.Observability;

/// <summary>
/// Records every trace while there are few, and so many a second when there are more: what tracing costs does not grow with
/// the load. What a client's own trace says is not believed, for anybody can ask to be recorded; what a request, or a job,
/// has begun is recorded whole or not at all.
/// </summary>
internal sealed class PacedSampler(TimeProvider clock) : Sampler
{
    internal const int TracesPerSecond = 50;

    private long _second;
    private int _begun;

    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var parent = samplingParameters.ParentContext;
        var isBegun = parent.TraceId != default && samplingParameters.Kind != ActivityKind.Server;
        var isWanted = isBegun ? parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)

            // What VTP asks PostgreSQL by itself each second belongs to no trace, and would each time make one.
            : samplingParameters.Kind != ActivityKind.Client && HasRoom();
        return new SamplingResult(isWanted ? SamplingDecision.RecordAndSample : SamplingDecision.Drop);
    }

    // Two threads at the turn of a second may each begin it anew; then a few more are recorded.
    private bool HasRoom()
    {
        var second = clock.GetTimestamp() / clock.TimestampFrequency;
        if (Interlocked.Exchange(ref _second, second) != second)
        {
            Volatile.Write(ref _begun, 0);
        }

        return Volatile.Read(ref _begun) < TracesPerSecond && Interlocked.Increment(ref _begun) <= TracesPerSecond;
    }
}
