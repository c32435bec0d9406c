namespace Vtp.Infrastructure.Relay;

/// <summary>Why the server ends a link, as WebSocket's close codes say it (RFC 6455 section 7.4.1; from 4000 on our own).</summary>
/// <param name="Drains">What waits for the peer is sent before.</param>
public sealed record RelayClose(int Code, string Reason, bool Drains = false)
{
    public static readonly RelayClose ClientGone = new(1000, "");
    public static readonly RelayClose GoingAway = new(1001, "The server is going away.", Drains: true);
    public static readonly RelayClose Malformed = new(1008, "Too many messages were no envelopes.", Drains: true);
    public static readonly RelayClose TooBig = new(1009, "The message is too big.");
    public static readonly RelayClose TooSlow = new(1013, "Messages were not taken, or did not arrive, in time.");
    public static readonly RelayClose Replaced = new(4001, "The peer has connected anew.");
    public static readonly RelayClose NotAdmitted = new(4003, "The credential or the registration is no longer good.");
}
