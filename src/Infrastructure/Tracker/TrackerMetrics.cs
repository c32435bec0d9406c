using System.Diagnostics.Metrics;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Tracker;

namespace Vtp.Infrastructure.Tracker;

/// <summary>What the swarms are and do; PrometheusName calls most of it as the tracker did that this one took the place of.</summary>
internal sealed class TrackerMetrics : IDisposable
{
    private readonly Meter _meter = new(Telemetry.Name);
    private readonly Counter<long> _registrations;
    private readonly Counter<long> _announcements;
    private readonly Counter<long> _downloads;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _changes;
    private readonly Histogram<double> _batches;

    public TrackerMetrics(Memory memory)
    {
        _registrations = _meter.CreateCounter<long>("vtp.tracker.peer_registrations", description: "Registrations of peers, repeated ones too.");
        _announcements = _meter.CreateCounter<long>("vtp.tracker.file_announcements", description: "Announcements of files, repeated ones too.");
        _downloads = _meter.CreateCounter<long>("vtp.tracker.file_download_requests", description: "How often the peers of a file were asked for.");
        _bytes = _meter.CreateCounter<long>("vtp.tracker.bytes_transferred", "By", "What peers say they sent and received, by direction.");
        _changes = _meter.CreateCounter<long>("vtp.tracker.changes", description: "Changes that were written, many of them together.");
        _batches = _meter.CreateHistogram<double>("vtp.tracker.batch.duration", "s", "How long it took to decide on a batch of changes and write it.");
        _meter.CreateObservableGauge("vtp.tracker.peers_online", () => Sum(memory, counts => counts.PeersOnline), description: "Peers heard of within the last 90 seconds or so.");
        _meter.CreateObservableGauge("vtp.tracker.peers_total", () => Sum(memory, counts => counts.PeersTotal), description: "Peers that are not removed yet.");
        _meter.CreateObservableGauge("vtp.tracker.files_shared", () => Sum(memory, counts => counts.Files), description: "Files whose metadata is kept.");
    }

    public void Registered() => _registrations.Add(1);

    public void Announced() => _announcements.Add(1);

    public void AskedForPeers() => _downloads.Add(1);

    public void Transferred(long uploaded, long downloaded)
    {
        _bytes.Add(uploaded, new KeyValuePair<string, object?>("direction", "upload"));
        _bytes.Add(downloaded, new KeyValuePair<string, object?>("direction", "download"));
    }

    public void Wrote(int changes, TimeSpan duration)
    {
        _changes.Add(changes);
        _batches.Record(duration.TotalSeconds);
    }

    public void Dispose() => _meter.Dispose();

    private static int Sum(Memory memory, Func<TrackerCounts, int> count) => memory.Swarms.Sum(swarm => count(swarm.Counts));
}
