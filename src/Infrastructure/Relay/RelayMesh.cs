using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Vtp.Application.Tracker.Relay;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Infrastructure.Relay;

/// <summary>
/// The relays of all nodes as one. A message to another node stays on its sender's account until that node has a place for
/// it, so that a slow receiver there holds its sender back as one here would, and neither node holds more than its senders
/// are good for.
/// </summary>
internal sealed partial class RelayMesh
{
    // Redis cuts a subscriber off who has 32 MB before it.
    private const int MostUnderWay = 16;
    private const int Remembered = 4096;

    private readonly RelayNodes _nodes;
    private readonly IRelayTransport[] _transports;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _patience;
    private readonly ILogger<RelayMesh> _logger;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<int>> _outcomes = new();
    private readonly ConcurrentDictionary<Guid, SemaphoreSlim> _lines = new();
    private RelayHub? _hub;
    private readonly long[] _heard = new long[Remembered];

    // No two nodes begin at the same one.
    private long _number = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

    public RelayMesh(
        RelayNodes nodes, IEnumerable<IRelayTransport> transports, IOptions<RelayOptions> options, TimeProvider clock, ILogger<RelayMesh> logger)
    {
        (_nodes, _transports, _clock, _logger) = (nodes, [.. transports], clock, logger);

        // Longer than the other node waits itself, so that its own word is the one that counts.
        _patience = options.Value.Patience + TimeSpan.FromSeconds(3);
    }

    public void Serve(RelayHub hub)
    {
        _hub = hub;
        _nodes.Held = hub.Held;
        _nodes.Replaced = (node, peer, link) => _ = TellAsync(node, new RelayFrame(RelayFrameKind.Replaced, _nodes.Id, 0, peer, "", link.ToByteArray()));
        _nodes.Gone = node => _lines.TryRemove(node, out _);
        foreach (var transport in _transports)
        {
            transport.Listen(_nodes.Id, Heard);
        }
    }

    public void Hold(RelayPeer peer, Guid link) => _nodes.Hold(peer, link);

    public void Release(RelayPeer peer, Guid link) => _nodes.Release(peer, link);

    public Task<IReadOnlyList<string>> PeersAsync(ProjectId project, CancellationToken cancellationToken) => _nodes.PeersAsync(project, cancellationToken);

    /// <summary>Takes the message over. Ends at once: what is under way is on the sender's account.</summary>
    public void Forward(RelayLink sender, RelayPeer target, RelayMessage message)
    {
        IRelaySender account = sender;
        if (_nodes.IsAlone)
        {
            account.Refused(message, RelayFault.Absent, hasWaited: false);
            message.Dispose();
            return;
        }

        account.Waits(message);
        _ = CarryAsync(sender, target, message);
    }

    private async Task CarryAsync(RelayLink sender, RelayPeer target, RelayMessage message)
    {
        RelayFault? fault;
        using var deadline = new CancellationTokenSource(_patience, _clock);
        try
        {
            fault = await DeliverAsync(sender, target, message, isSure: false, deadline.Token)
                ?? await DeliverAsync(sender, target, message, isSure: true, deadline.Token)
                ?? RelayFault.Absent;
        }
        catch (OperationCanceledException)
        {
            fault = RelayFault.NodeAway; // Nobody has said in time what became of it.
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            LogUnsent(exception);
            fault = RelayFault.NodeAway;
        }

        if (fault == RelayFault.None)
        {
            ((IRelaySender)sender).Goes(message, hasWaited: true);
        }
        else
        {
            ((IRelaySender)sender).Refused(message, fault, hasWaited: true);
        }

        message.Dispose();
    }

    /// <returns>Null when it is not where it was last: it cannot move faster than people connect, so that once more is enough.</returns>
    private async Task<RelayFault?> DeliverAsync(RelayLink sender, RelayPeer target, RelayMessage message, bool isSure, CancellationToken cancellationToken)
    {
        Task<int> outcome;
        SemaphoreSlim line;
        long number;
        await sender.Turn.WaitAsync(cancellationToken);
        try
        {
            if (await _nodes.FindAsync(target, isSure, cancellationToken) is not { } node)
            {
                return RelayFault.Absent;
            }

            if (node == _nodes.Id)
            {
                return _hub!.Offer(target, message.WithoutSender()) ? RelayFault.None : null;
            }

            line = _lines.GetOrAdd(node, static _ => new SemaphoreSlim(MostUnderWay));
            await line.WaitAsync(cancellationToken);
            (number, outcome) = Expect();
            var isSent = false;
            try
            {
                isSent = await SendAsync(node, new RelayFrame(RelayFrameKind.Message, _nodes.Id, number, target, sender.Peer.PeerId, message.Text));
            }
            finally
            {
                if (!isSent)
                {
                    Done(number, line);
                }
            }

            if (!isSent)
            {
                return isSure ? RelayFault.NodeAway : null;
            }
        }
        finally
        {
            sender.Turn.Release();
        }

        try
        {
            var code = await outcome.WaitAsync(cancellationToken);
            return code == 404 ? null : RelayFault.Of(code);
        }
        finally
        {
            Done(number, line);
        }
    }

    private (long Number, Task<int> Outcome) Expect()
    {
        var (number, outcome) = (Interlocked.Increment(ref _number), new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously));
        _outcomes[number] = outcome;
        return (number, outcome.Task);
    }

    private void Done(long number, SemaphoreSlim line)
    {
        _outcomes.TryRemove(number, out _);
        line.Release();
    }

    private async Task<bool> SendAsync(Guid node, RelayFrame frame)
    {
        var bytes = frame.ToBytes();
        foreach (var transport in _transports)
        {
            if (await transport.SendAsync(node, bytes, CancellationToken.None))
            {
                return true;
            }
        }

        return false;
    }

    private void Heard(ReadOnlyMemory<byte> bytes)
    {
        if (RelayFrame.Read(bytes) is not { } frame)
        {
            LogUnknown();
            return;
        }

        switch (frame.Kind)
        {
            case RelayFrameKind.Message:
                Receive(frame);
                break;
            case RelayFrameKind.Outcome when frame.Body.Length == 2 && _outcomes.TryRemove(frame.Number, out var outcome):
                outcome.TrySetResult(BinaryPrimitives.ReadUInt16BigEndian(frame.Body.Span));
                break;
            case RelayFrameKind.Replaced when frame.Body.Length == 16:
                _hub!.Replaced(frame.Peer, new Guid(frame.Body.Span));
                break;
        }
    }

    private void Receive(RelayFrame frame)
    {
        // Sent by a second way, because the first did not say that it had arrived.
        if (Interlocked.Exchange(ref _heard[(ulong)frame.Number % Remembered], frame.Number) == frame.Number)
        {
            return;
        }

        // Who asks from there is answered there, also before the table of links says so.
        _nodes.Learn(new RelayPeer(frame.Peer.Project, frame.From), frame.Node);
        var buffer = _hub!.Memory.Rent(frame.Body.Length);
        frame.Body.CopyTo(buffer);
        var origin = new Origin(this, frame with { Body = default });
        var message = new RelayMessage(_hub.Memory, buffer, ..frame.Body.Length) { Sender = origin };
        if (!_hub.Offer(frame.Peer, message))
        {
            origin.Refused(message, RelayFault.Absent, hasWaited: false);
            message.Dispose();
        }
    }

    private void Answer(RelayFrame message, int code)
    {
        var body = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(body, (ushort)code);
        _ = TellAsync(message.Node, message with { Kind = RelayFrameKind.Outcome, Node = _nodes.Id, From = "", Body = body });
    }

    private async Task TellAsync(Guid node, RelayFrame frame)
    {
        try
        {
            await SendAsync(node, frame);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            // The sender's node waits for it no longer than its own patience.
            LogUnsent(exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message to another node could not be sent; its sender is told")]
    private partial void LogUnsent(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Another node says what this version does not understand")]
    private partial void LogUnknown();

    /// <summary>The node that a message came from, and what it is told of it.</summary>
    private sealed class Origin(RelayMesh mesh, RelayFrame frame) : IRelaySender
    {
        public void Waits(RelayMessage message)
        {
            // There, on the account of who sent it.
        }

        public void Goes(RelayMessage message, bool hasWaited) => mesh.Answer(frame, 0);

        public void Refused(RelayMessage message, RelayFault fault, bool hasWaited) => mesh.Answer(frame, fault.Code);
    }
}
