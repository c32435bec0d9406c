using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing.Parsers;
using Vtp.Application.Operations.Profiling;

namespace Vtp.Infrastructure.Profiling;

/// <summary>
/// What EventPipe wrote of this process, in files that only its user can read and that go when this does. It ends when its
/// time is over, when its client goes, or when it is too large; what was recorded until then is whole.
/// </summary>
internal sealed class Recording : IDisposable
{
    private const int BufferMegabytes = 256;
    private const long MaximumBytes = 256L * 1024 * 1024;
    private const string Runtime = "Microsoft-Windows-DotNETRuntime";
    private const string Sampler = "Microsoft-DotNETCore-SampleProfiler";

    // Threads are asked where they are as often as there are samples in it.
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(200);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vtp-profile-");

    private IReadOnlyDictionary<int, TimeSpan>? _cpuBefore;

    private Recording()
    {
    }

    public string Path => System.IO.Path.Combine(_folder.FullName, "recording.nettrace");

    /// <summary>Where whoever reads it may put what they make of it.</summary>
    public string Scratch => System.IO.Path.Combine(_folder.FullName, "recording.etlx");

    /// <summary>What each thread has used of the processor meanwhile; null where the system does not say.</summary>
    public IReadOnlyDictionary<int, TimeSpan>? Cpu { get; private set; }

    public static async Task<Recording> OfAsync(ProfileKind kind, TimeSpan duration, CancellationToken cancellationToken)
    {
        var recording = new Recording();
        try
        {
            await recording.RunAsync(kind, kind == ProfileKind.Threads ? Moment : duration, cancellationToken);
            return recording;
        }
        catch
        {
            recording.Dispose();
            throw;
        }
    }

    /// <summary>Still there for its reader when the folder is not.</summary>
    public Stream Open() => new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    public void Dispose() => _folder.Delete(recursive: true);

    private async Task RunAsync(ProfileKind kind, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var session = await new DiagnosticsClient(Environment.ProcessId)
            .StartEventPipeSessionAsync(Providers(kind), requestRundown: true, BufferMegabytes, cancellationToken);
        using var full = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var file = new FileStream(Path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        _cpuBefore = OsThreads.Cpu();
        var copying = CopyAsync(session.EventStream, file, full);

        // A heap is written by one collection, which is over when the stream is silent; the others take the time they are given.
        await (kind == ProfileKind.Heap ? SilentAsync(file, duration, full.Token) : Task.Delay(duration, full.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        Cpu = OsThreads.Cpu()?.ToDictionary(thread => thread.Key, thread => thread.Value - _cpuBefore!.GetValueOrDefault(thread.Key));

        // At its end the session says which methods there are, so that somebody has to go on reading.
        await session.StopAsync(CancellationToken.None);
        await copying;
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static EventPipeProvider[] Providers(ProfileKind kind) => kind switch
    {
        ProfileKind.Cpu or ProfileKind.Threads => [new(Sampler, EventLevel.Informational), new(Runtime, EventLevel.Informational, (long)ClrTraceEventParser.Keywords.Default)],
        ProfileKind.Heap => [new(Runtime, EventLevel.Verbose, (long)ClrTraceEventParser.Keywords.GCHeapSnapshot)],
        ProfileKind.Contention => [new(Runtime, EventLevel.Informational, (long)ClrTraceEventParser.Keywords.Contention)],
        ProfileKind.Allocations => [new(Runtime, EventLevel.Verbose, (long)ClrTraceEventParser.Keywords.GC)],
        ProfileKind.Trace =>
        [
            new(Sampler, EventLevel.Informational),
            new(Runtime, EventLevel.Informational, (long)(ClrTraceEventParser.Keywords.Default | ClrTraceEventParser.Keywords.Contention)),
        ],
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Reads on when it has enough, because a session whose stream nobody reads does not end.</summary>
    private static async Task CopyAsync(Stream from, FileStream to, CancellationTokenSource full)
    {
        var buffer = new byte[64 * 1024];
        for (int read; (read = await from.ReadAsync(buffer, CancellationToken.None)) > 0;)
        {
            await to.WriteAsync(buffer.AsMemory(0, read), CancellationToken.None);
            if (to.Length > MaximumBytes && !full.IsCancellationRequested)
            {
                await full.CancelAsync();
            }
        }
    }

    private static async Task SilentAsync(FileStream file, TimeSpan longest, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (long before = -1; (before != file.Length || before < 4096) && TimeProvider.System.GetElapsedTime(started) < longest;)
        {
            before = file.Length;
            await Task.Delay(TimeSpan.FromMilliseconds(500), cancellationToken);
        }
    }
}
