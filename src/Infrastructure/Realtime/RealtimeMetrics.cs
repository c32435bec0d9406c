using System.Diagnostics.Metrics;
using Vtp.Application.Common.Pipeline;

namespace Vtp.Infrastructure.Realtime;

/// <summary>What passes through the realtime part of this node.</summary>
public sealed class RealtimeMetrics : IDisposable
{
    private readonly Meter _meter = new(Telemetry.Name);
    private readonly UpDownCounter<int> _connections;
    private readonly Counter<long> _closed;
    private readonly Counter<long> _received;
    private readonly Counter<long> _published;
    private readonly Counter<long> _delivered;
    private readonly Counter<long> _recovered;
    private readonly Counter<long> _gaps;

    public RealtimeMetrics()
    {
        _connections = _meter.CreateUpDownCounter<int>("vtp.realtime.connections", description: "Open connections, by transport.");
        _closed = _meter.CreateCounter<long>("vtp.realtime.closed", description: "Connections that ended, by reason.");
        _received = _meter.CreateCounter<long>("vtp.realtime.received", description: "Messages from clients.");
        _published = _meter.CreateCounter<long>("vtp.realtime.published", description: "Messages that this node gave to the others, by what became of them.");
        _delivered = _meter.CreateCounter<long>("vtp.realtime.delivered", description: "Messages of topics, counted once for each follower.");
        _recovered = _meter.CreateCounter<long>("vtp.realtime.recovered", description: "Connections that came back, by whether they missed nothing.");
        _gaps = _meter.CreateCounter<long>("vtp.realtime.gaps", description: "How often messages of all topics may have been lost.");
    }

    public void Opened(string transport) => _connections.Add(1, new KeyValuePair<string, object?>("transport", transport));

    public void Left(string transport) => _connections.Add(-1, new KeyValuePair<string, object?>("transport", transport));

    public void Closed(string reason) => _closed.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Received() => _received.Add(1);

    public void Recovered(bool isComplete) => _recovered.Add(1, new KeyValuePair<string, object?>("complete", isComplete ? "yes" : "no"));

    public void Dispose() => _meter.Dispose();

    internal void Published(int count, string outcome) => _published.Add(count, new KeyValuePair<string, object?>("outcome", outcome));

    internal void Delivered(int count)
    {
        if (count > 0)
        {
            _delivered.Add(count);
        }
    }

    internal void Gap() => _gaps.Add(1);
}
