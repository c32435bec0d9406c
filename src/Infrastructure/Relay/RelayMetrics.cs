using System.Diagnostics.Metrics;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Tracker.Relay;

namespace Vtp.Infrastructure.Relay;

/// <summary>What is counted of messages between peers, by names that the tracker's dashboards know (PrometheusName).</summary>
internal static class RelayMetrics
{
    private static readonly Meter Meter = new(Telemetry.Name);

    private static readonly UpDownCounter<long> Connections =
        Meter.CreateUpDownCounter<long>("vtp.relay.connections", description: "Peers connected to the relay of this node.");

    private static readonly Counter<long> Messages =
        Meter.CreateCounter<long>("vtp.relay.messages", description: "Messages that peers have sent to the relay.");

    private static readonly Counter<long> Bytes =
        Meter.CreateCounter<long>("vtp.relay.bytes", description: "Bytes of messages that the relay has taken from peers (upload) and handed to peers (download).");

    private static readonly Counter<long> Errors =
        Meter.CreateCounter<long>("vtp.relay.errors", description: "Messages that the relay answered with an error, by its code.");

    private static readonly KeyValuePair<string, object?> Upload = new("direction", "upload");
    private static readonly KeyValuePair<string, object?> Download = new("direction", "download");

    public static void Joined() => Connections.Add(1);

    public static void Left() => Connections.Add(-1);

    public static void Received(int bytes)
    {
        Messages.Add(1);
        Bytes.Add(bytes, Upload);
    }

    public static void Sent(int bytes) => Bytes.Add(bytes, Download);

    public static void Refused(int code) => Errors.Add(1, new KeyValuePair<string, object?>("code", code));
}

/// <summary>Links and traffic of one project on this node, for its dashboard.</summary>
internal sealed class RelayTally
{
    private int _links;
    private long _messages;
    private long _received;
    private long _sent;

    public int Links => Volatile.Read(ref _links);

    public RelayTraffic Traffic => new(Volatile.Read(ref _messages), Volatile.Read(ref _received), Volatile.Read(ref _sent));

    public void Joined()
    {
        Interlocked.Increment(ref _links);
        RelayMetrics.Joined();
    }

    public void Left()
    {
        Interlocked.Decrement(ref _links);
        RelayMetrics.Left();
    }

    public void Received(int bytes)
    {
        Interlocked.Increment(ref _messages);
        Interlocked.Add(ref _received, bytes);
        RelayMetrics.Received(bytes);
    }

    public void Sent(int bytes)
    {
        Interlocked.Add(ref _sent, bytes);
        RelayMetrics.Sent(bytes);
    }
}
