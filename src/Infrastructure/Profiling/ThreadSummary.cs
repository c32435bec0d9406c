using Microsoft.Diagnostics.Tracing.Etlx;

namespace Vtp.Infrastructure.Profiling;

/// <param name="Groups">Threads that are at the same place, the largest group first.</param>
internal sealed record ThreadSummary(int Threads, IReadOnlyList<ThreadGroup> Groups)
{
    /// <summary>Each thread's last sample.</summary>
    public static ThreadSummary Of(TraceLog log)
    {
        var last = new Dictionary<int, (IReadOnlyList<string> Frames, bool IsManaged)>();
        foreach (var sample in log.Events.Where(Stacks.IsSample))
        {
            last[sample.ThreadID] = (Stacks.FramesOf(sample), Stacks.IsManaged(sample));
        }

        var names = OsThreads.Names();
        return new ThreadSummary(
            last.Count,
            [
                .. last.GroupBy(thread => string.Join('\n', thread.Value.Frames), StringComparer.Ordinal).OrderByDescending(group => group.Count())
                    .Select(group => new ThreadGroup(
                        group.Count(),
                        [.. group.Select(thread => Stacks.NameOf(thread.Key, names))],
                        group.Any(thread => thread.Value.IsManaged),
                        [.. group.First().Value.Frames.Reverse()])),
            ]);
    }
}

/// <param name="Names">As the system calls them, with their ids.</param>
/// <param name="Runs">Managed code, and does not wait or call into the system.</param>
/// <param name="Stack">Innermost first.</param>
internal sealed record ThreadGroup(int Count, IReadOnlyList<string> Names, bool Runs, IReadOnlyList<string> Stack);
