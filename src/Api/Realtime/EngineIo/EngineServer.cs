using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Vtp.Application.Common;
using Vtp.Infrastructure.Realtime;

namespace Vtp.Api.Realtime.EngineIo;

/// <summary>All connections of this node. One clock for all of them: it pings, and closes who does not answer.</summary>
internal sealed partial class EngineServer(
    RealtimeOptions options, RealtimeMetrics metrics, TimeProvider clock, IHostApplicationLifetime lifetime, ILogger<EngineServer> logger) : BackgroundService
{
    private static readonly TimeSpan Slowest = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, EngineConnection> _connections = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _perNetwork = new(StringComparer.Ordinal);
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public IEnumerable<EngineConnection> Connections => _connections.Values;

    public EngineConnection? Find(string sid) => _connections.GetValueOrDefault(sid);

    /// <returns>Null when there are too many already.</returns>
    public EngineConnection? Open(int version, EngineHandshake handshake, Func<EngineConnection, IEngineClient> client)
    {
        var network = RequestLimits.Network(handshake.Address?.ToString());
        var isTooMany = Interlocked.Increment(ref _count) > options.MaximumConnections;
        isTooMany |= _perNetwork.AddOrUpdate(network, 1, static (_, count) => count + 1) > options.ConnectionsPerAddress;
        if (isTooMany || lifetime.ApplicationStopping.IsCancellationRequested)
        {
            Forget(network);
            return null;
        }

        var connection = new EngineConnection(NewSid(), version, handshake, options, metrics, clock);
        connection.Client = client(connection);
        connection.Ended = ended =>
        {
            if (_connections.TryRemove(ended.Sid, out _))
            {
                Forget(network);
            }
        };
        _connections[connection.Sid] = connection;
        return connection;
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the server waits for requests to end: these would not by themselves.
        lifetime.ApplicationStopping.Register(CloseAll);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var fastest = (options.PingInterval < options.PingTimeout ? options.PingInterval : options.PingTimeout) / 4;
        using var timer = new PeriodicTimer(fastest < Slowest ? fastest : Slowest, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var now = clock.GetTimestamp();
            foreach (var (_, connection) in _connections)
            {
                try
                {
                    connection.Tick(now);
                }
                catch (Exception exception)
                {
                    LogTickFailed(exception);
                    connection.Close("server error");
                }
            }
        }
    }

    /// <summary>120 random bits: nobody finds another's.</summary>
    private static string NewSid() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(15));

    private void Forget(string network)
    {
        Interlocked.Decrement(ref _count);
        while (_perNetwork.TryGetValue(network, out var count))
        {
            if (count <= 1 ? _perNetwork.TryRemove(new(network, count)) : _perNetwork.TryUpdate(network, count - 1, count))
            {
                return;
            }
        }
    }

    private void CloseAll()
    {
        foreach (var (_, connection) in _connections)
        {
            connection.Close("server shutting down", OutgoingPacket.CloseFrame(1001));
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A realtime connection could not be looked after; it was closed")]
    private partial void LogTickFailed(Exception exception);
}
