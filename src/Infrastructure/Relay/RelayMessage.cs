using System.Buffers;

namespace Vtp.Infrastructure.Relay;

/// <summary>One text on its way to one peer, in an array of the pool that whoever holds the message last gives back.</summary>
public sealed class RelayMessage : IDisposable
{
    // A message costs something besides its array.
    private const int Least = 512;

    private readonly RelayMemory _memory;
    private byte[]? _buffer;

    internal RelayMessage(RelayMemory memory, byte[] buffer, Range text)
    {
        (_memory, _buffer, Weight) = (memory, buffer, Math.Max(buffer.Length, Least));
        Text = buffer.AsMemory(text);
    }

    /// <summary>As it goes out.</summary>
    public ReadOnlyMemory<byte> Text { get; }

    /// <summary>Bytes of memory, which are more than those of its text.</summary>
    internal int Weight { get; }

    /// <summary>Whom its fate concerns; null for what the relay says itself.</summary>
    internal IRelaySender? Sender { get; init; }

    /// <summary>The JSON string that names the request, as it was sent; empty when there was none.</summary>
    internal ReadOnlyMemory<byte> RequestId { get; init; }

    /// <summary>Since when it waits for room at its receiver, as the clock's timestamp.</summary>
    internal long WaitsSince { get; set; }

    /// <summary>For a receiver of whom the sender has another account.</summary>
    internal RelayMessage WithoutSender()
    {
        var buffer = _memory.Rent(Text.Length);
        Text.CopyTo(buffer);
        return new RelayMessage(_memory, buffer, ..Text.Length);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            _memory.Return(buffer);
        }
    }
}

/// <summary>Who is told what became of a message: a link of this node, or the node that it came from.</summary>
internal interface IRelaySender
{
    /// <summary>There is no room for it yet.</summary>
    void Waits(RelayMessage message);

    /// <summary>It has its place in the receiver's queue.</summary>
    /// <param name="message">Which.</param>
    /// <param name="hasWaited">Whether <see cref="Waits"/> was called for it.</param>
    void Goes(RelayMessage message, bool hasWaited);

    /// <summary>It does not reach the receiver.</summary>
    /// <param name="message">Which; whoever calls this disposes of it afterwards.</param>
    /// <param name="fault">Why.</param>
    /// <param name="hasWaited">As above.</param>
    void Refused(RelayMessage message, RelayFault fault, bool hasWaited);
}

/// <param name="Code">As HTTP's status codes, in the payload of <c>relay_error</c>.</param>
internal sealed record RelayFault(int Code, string Message)
{
    /// <summary>It has arrived.</summary>
    public static readonly RelayFault None = new(0, "");

    public static readonly RelayFault RequestsOnly = new(403, "This id is not registered by you: it may ask for chunks, and nothing else.");
    public static readonly RelayFault Absent = new(404, "The peer is not connected to the relay.");
    public static readonly RelayFault Congested = new(503, "The peer takes its messages too slowly.");
    public static readonly RelayFault NodeAway = new(503, "The server that the peer is connected to does not answer.");
    public static readonly RelayFault GoingAway = new(503, "The peer's server is going away.");

    public static RelayFault Of(int code) => code switch
    {
        0 => None,
        404 => Absent,
        _ => Congested,
    };
}

/// <summary>The arrays of all messages of this node, counted: what is on its way costs so much memory and no more.</summary>
internal sealed class RelayMemory(long maximum)
{
    private const int Shares = 64;

    private long _held;

    public long Held => Volatile.Read(ref _held);

    /// <summary>Nobody begins to read another message until some have gone out.</summary>
    public bool IsFull => Held > maximum;

    /// <summary>
    /// What one queue may hold just now: the fuller the node is the less, so that those who take little leave room for others.
    /// </summary>
    public long ShareOf(long capacity) => Math.Min(capacity, Math.Max(0, maximum - Held) / Shares);

    public byte[] Rent(int length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        Interlocked.Add(ref _held, buffer.Length);
        return buffer;
    }

    public void Return(byte[] buffer)
    {
        Interlocked.Add(ref _held, -buffer.Length);
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
