using Microsoft.Extensions.Hosting;
using StackExchange.Redis;
using Vtp.Infrastructure.Redis;

namespace Vtp.Infrastructure.Relay;

/// <summary>
/// Through Redis, by a channel for each node, on a connection of its own: what others ask of Redis does not wait behind
/// chunks of files. While Redis is away the table of PostgreSQL takes its place.
/// </summary>
internal sealed class RedisRelayTransport(RedisConnection connection) : IRelayTransport, IHostedService, IDisposable
{
    private Guid _node;
    private Action<ReadOnlyMemory<byte>> _received = _ => { };

    public void Listen(Guid node, Action<ReadOnlyMemory<byte>> received) => (_node, _received) = (node, received);

    public async ValueTask<bool> SendAsync(Guid node, byte[] frame, CancellationToken cancellationToken) =>
        await connection.AskAsync(database => database.PublishAsync(ChannelOf(node), frame), cancellationToken) is (true, > 0);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await connection.StartAsync(cancellationToken);
        if (connection.Subscriber is { } subscriber)
        {
            // A Redis that is not there yet is subscribed to when it comes.
            _ = subscriber.SubscribeAsync(ChannelOf(_node), (_, frame) => _received((byte[]?)frame ?? []))
                .ContinueWith(failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => connection.StopAsync(cancellationToken);

    public void Dispose() => connection.Dispose();

    // An id that no other installation on the same Redis has.
    private static RedisChannel ChannelOf(Guid node) => $"vtp:relay:{node}";
}
