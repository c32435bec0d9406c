namespace Vtp.Infrastructure.Relay;

/// <summary>Section Relay: what <c>/relay</c> and <c>/ws</c> of one node may cost.</summary>
public sealed class RelayOptions
{
    /// <summary>Of one message of a peer; a longer one closes its link.</summary>
    public int MaximumMessageBytes { get; init; } = 1024 * 1024;

    /// <summary>What waits for one receiver, and besides what of one sender waits for receivers that are full.</summary>
    public int QueueBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>All messages of the node together.</summary>
    public long MaximumMemory { get; init; } = 256 * 1024 * 1024;

    /// <summary>Connections to the node.</summary>
    public int Connections { get; init; } = 50_000;

    /// <summary>Connections to the node from one address, behind which a whole school may sit.</summary>
    public int ConnectionsPerAddress { get; init; } = 1000;

    /// <summary>For how long a message waits at a full receiver, and a receiver may take nothing.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For how long a message may take to arrive whole.</summary>
    public static readonly TimeSpan ArrivesWithin = TimeSpan.FromSeconds(60);

    public bool IsSound =>
        MaximumMessageBytes is >= 1024 and <= 16 * 1024 * 1024 && QueueBytes >= MaximumMessageBytes && MaximumMemory >= QueueBytes
        && Connections >= 1 && ConnectionsPerAddress >= 1 && Patience >= TimeSpan.FromMilliseconds(100) && Patience <= TimeSpan.FromMinutes(1);
}
