using Vtp.Domain.Events;

namespace Vtp.Domain.Tracker;

public static class TrackerEvents
{
    [Event("tracker.peer_joined", "A peer is online: it registered, or is heard of again after a silence.")]
    public sealed record PeerJoined(string PeerId, string? Hostname, string Ip, int Port);

    [Event("tracker.peer_left", "A peer is offline: it left, was removed, or was silent for too long.")]
    public sealed record PeerLeft(string PeerId, PeerLeaving Reason);

    [Event("tracker.file_added", "A file was announced for the first time.")]
    public sealed record FileAdded(string Hash, string Name, long Size, string AddedBy);

    [Event("tracker.file_removed", "A file is not known any more: it was removed, or nobody had it for seven days.")]
    public sealed record FileRemoved(string Hash, string Name);
}

public enum PeerLeaving
{
    Left,
    Removed,
    TimedOut,
}
