namespace Vtp.Application.Realtime;

/// <summary>
/// Carries messages between nodes, in one log without gaps: each node is handed every message, in the same order. What is
/// not kept goes beside the log, and may be lost.
/// </summary>
public interface IBackplane
{
    /// <summary>Puts messages behind each other at the end of the log.</summary>
    /// <param name="messages">At least one.</param>
    /// <param name="known">Where this node knows the log to be. One that has gone back begins anew, with another epoch.</param>
    /// <param name="cancellationToken">Of the server.</param>
    /// <returns>The place of each. It throws when that could not be found out; the messages may be in the log nevertheless.</returns>
    Task<IReadOnlyList<LogPosition>> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> messages, LogPosition known, CancellationToken cancellationToken);

    /// <summary>To the other nodes that listen just now; not to this one.</summary>
    Task SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> messages, CancellationToken cancellationToken);

    /// <summary>Where the log ends, and which part of it is kept: offsets above <c>Floor</c>.</summary>
    Task<LogState> LookAsync(LogPosition known, CancellationToken cancellationToken);

    /// <summary>What is kept behind an offset, in order.</summary>
    Task<IReadOnlyList<KeptMessage>> ReadAsync(LogPosition after, int limit, CancellationToken cancellationToken);

    /// <summary>To be set before anything else is asked of it, once.</summary>
    IBackplaneListener Listener { set; }
}

/// <param name="Head">The last offset that was given.</param>
/// <param name="Floor">The last offset that is not kept any more.</param>
public sealed record LogState(string Epoch, long Head, long Floor);

public sealed record KeptMessage(long Offset, ReadOnlyMemory<byte> Message);

/// <summary>Is told what other nodes do. Nothing may depend on it alone: it looks by itself each second.</summary>
public interface IBackplaneListener
{
    /// <summary>These have their place in the log.</summary>
    void Appended(LogPosition first, IReadOnlyList<ReadOnlyMemory<byte>> messages);

    void Sent(ReadOnlyMemory<byte> message);

    /// <summary>There is something in the log, or there may be.</summary>
    void Wake();
}
