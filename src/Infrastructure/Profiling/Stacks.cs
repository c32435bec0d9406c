using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Etlx;
using Microsoft.Diagnostics.Tracing.Parsers.Clr;

namespace Vtp.Infrastructure.Profiling;

/// <summary>Something that happened somewhere.</summary>
/// <param name="Frames">Outermost first.</param>
/// <param name="Weight">In the unit of its list.</param>
/// <param name="Under">What it is listed under: a thread, or nothing.</param>
internal sealed record Sample(IReadOnlyList<string> Frames, double Weight, string Under);

/// <param name="Unit">Of weights: milliseconds or bytes.</param>
/// <param name="Lost">Events that did not fit into the buffer.</param>
internal sealed record Stacks(string Name, string Unit, double Seconds, IReadOnlyList<Sample> Samples, int Lost)
{
    private const string Sampler = "Microsoft-DotNETCore-SampleProfiler";
    private const int Managed = 2;

    /// <summary>
    /// The sampler asks every thread where it is, also one that waits. What waits in the runtime's own waits is left out, and
    /// the samples of a thread together weigh no more than the system says that it ran: of native code, which the sampler cannot
    /// tell from waiting, that is what shows whether it ran.
    /// </summary>
    /// <param name="cpu">By thread; null where the system does not say.</param>
    /// <param name="log">With samples.</param>
    public static Stacks OfCpu(TraceLog log, IReadOnlyDictionary<int, TimeSpan>? cpu)
    {
        var ran = log.Events.Where(IsSample)
            .Select(sample => (sample.ThreadID, IsManaged: IsManaged(sample), Frames: FramesOf(sample)))
            .Where(sample => sample.Frames.Count > 0 && (sample.IsManaged || !IsWait(sample.Frames[^1])))
            .ToList();
        var names = OsThreads.Names();
        var weights = ran.CountBy(sample => sample.ThreadID)
            .ToDictionary(thread => thread.Key, thread => cpu?.TryGetValue(thread.Key, out var used) == true ? Math.Min(1, used.TotalMilliseconds / thread.Value) : 1);
        return new Stacks(
            "CPU",
            "milliseconds",
            SecondsOf(log),
            [.. ran.Where(sample => weights[sample.ThreadID] > 0).Select(sample => new Sample(sample.Frames, weights[sample.ThreadID], NameOf(sample.ThreadID, names)))],
            log.EventsLost);
    }

    /// <summary>The end of a wait says how long it was, its beginning where.</summary>
    public static Stacks OfContention(TraceLog log)
    {
        var begun = new Dictionary<int, IReadOnlyList<string>>();
        var samples = new List<Sample>();
        foreach (var happened in log.Events)
        {
            if (happened is ContentionStartTraceData)
            {
                begun[happened.ThreadID] = FramesOf(happened);
            }
            else if (happened is ContentionStopTraceData stop && begun.Remove(happened.ThreadID, out var frames))
            {
                samples.Add(new Sample(frames, stop.DurationNs / 1e6, "waits for locks"));
            }
        }

        return new Stacks("Lock contention", "milliseconds", SecondsOf(log), samples, log.EventsLost);
    }

    /// <summary>The type stands innermost.</summary>
    public static Stacks OfAllocations(TraceLog log) => new(
        "Allocations",
        "bytes",
        SecondsOf(log),
        [.. log.Events.OfType<GCAllocationTickTraceData>().Select(tick => new Sample([.. FramesOf(tick), tick.TypeName], tick.AllocationAmount64, "allocations"))],
        log.EventsLost);

    public static bool IsSample(TraceEvent happened) => happened.ProviderName == Sampler;

    public static bool IsManaged(TraceEvent sample) => BitConverter.ToInt32(sample.EventData()) == Managed;

    public static IReadOnlyList<string> FramesOf(TraceEvent happened)
    {
        var frames = new List<string>();
        for (var frame = happened.CallStack(); frame is not null; frame = frame.Caller)
        {
            var name = frame.CodeAddress.FullMethodName;
            frames.Add(string.IsNullOrEmpty(name) ? frame.CodeAddress.ModuleName is { Length: > 0 } module ? $"{module}!?" : "?" : Short(name));
        }

        frames.Reverse();
        return frames;
    }

    public static string NameOf(int thread, IReadOnlyDictionary<int, string> names) =>
        names.TryGetValue(thread, out var name) ? $"{name} ({thread})" : $"thread {thread}";

    private static double SecondsOf(TraceLog log) => Math.Round(log.SessionDuration.TotalSeconds, 1);

    private static bool IsWait(string method) =>
        method.StartsWith("System.Threading.", StringComparison.Ordinal) || method.StartsWith("System.Net.Sockets.SocketAsyncEngine", StringComparison.Ordinal);

    private static string Short(string name) => name.IndexOf('(', StringComparison.Ordinal) is var end and > 0 ? name[..end] : name;
}
