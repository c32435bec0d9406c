using System.Text.Json;
using Vtp.Domain.Common;

namespace Vtp.Application.Rooms.Signaling;

/// <param name="Room">Of <see cref="LiveRoom.Room"/>: nobody finds a room of another organization by its id.</param>
/// <param name="Id">Of the socket.</param>
/// <param name="Email">Empty where the others may not see it.</param>
/// <param name="Role">As participants are shown.</param>
/// <param name="IsStaff">May do to the others whatever the unit lets one do.</param>
/// <param name="IsProducer">Wants to send.</param>
public sealed record SfuPeer(Guid Room, string RoomName, string Id, Guid UserId, string Email, string FullName, string Role, bool IsStaff, bool IsProducer);

/// <summary>What a client needs to talk with the unit. One of the two.</summary>
/// <param name="RtpCapabilities">Of mediasoup's router.</param>
/// <param name="Peers">Who mediasoup says is there, as it says it.</param>
/// <param name="Url">Of LiveKit, where the client connects by itself.</param>
/// <param name="Token">For LiveKit; two minutes are enough to connect with it.</param>
public sealed record SfuSession(JsonElement? RtpCapabilities, JsonElement? Peers, string? Url, string? Token);

/// <summary>
/// A selective forwarding unit (RFC 7667, section 3.7): takes each sender's media once and passes it on to all who receive. What
/// clients and the unit say to each other is JSON, and passed on as it is.
/// </summary>
public interface ISelectiveForwardingUnit
{
    /// <summary>Before anybody else of it: the peer exists for the unit.</summary>
    /// <returns>Null where there is no unit, and peers send to each other.</returns>
    Task<Result<SfuSession>?> JoinAsync(SfuPeer peer, CancellationToken cancellationToken);

    /// <summary>The peer has gone, and what it sent and received with it. Never refused: what cannot be told is written in the log.</summary>
    Task LeaveAsync(Guid room, string peer, CancellationToken cancellationToken);

    /// <summary>Somebody is sent out by a host, also where they are connected to the unit by themselves.</summary>
    Task RemoveAsync(Guid room, string peer, CancellationToken cancellationToken);

    /// <summary>Silences what the peer sends, where the unit can; it may be asked to by nobody but a host.</summary>
    Task MuteAsync(Guid room, string peer, CancellationToken cancellationToken);

    /// <param name="direction"><c>send</c> or <c>recv</c>.</param>
    Task<Result<JsonElement>> CreateTransportAsync(Guid room, string peer, string direction, CancellationToken cancellationToken);

    Task<Result<JsonElement>> ConnectTransportAsync(Guid room, string transport, JsonElement dtlsParameters, CancellationToken cancellationToken);

    /// <param name="kind"><c>audio</c> or <c>video</c>.</param>
    Task<Result<JsonElement>> ProduceAsync(Guid room, string peer, string kind, JsonElement rtpParameters, CancellationToken cancellationToken);

    Task<Result<JsonElement>> ConsumeAsync(Guid room, string peer, string producer, JsonElement rtpCapabilities, CancellationToken cancellationToken);

    Task<Result<JsonElement>> CloseProducerAsync(Guid room, string producer, CancellationToken cancellationToken);

    Task<Result<JsonElement>> CloseConsumerAsync(Guid room, string consumer, CancellationToken cancellationToken);

    /// <summary>The room is over: who is connected to the unit by themselves is sent out. Never refused.</summary>
    Task CloseAsync(Guid room, CancellationToken cancellationToken);

    /// <summary>Records all that is seen and heard in the room to one file.</summary>
    /// <param name="room">Of <see cref="LiveRoom.Room"/>.</param>
    /// <param name="file">Where, without its ending; behind the folder that is configured.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    /// <returns>The unit's id of it; <see cref="SfuRefusals.Away"/> where it may have begun all the same.</returns>
    Task<Result<string>> RecordAsync(Guid room, string file, CancellationToken cancellationToken);

    /// <returns>Null once it is known to have ended, also before.</returns>
    Task<Refusal?> StopRecordingAsync(string egress, CancellationToken cancellationToken);
}

public static class SfuRefusals
{
    public static readonly Refusal NotConfigured =
        new(RefusalKind.Unprocessable, "sfu.not_configured", "This server has no media server: peers send to each other, by webrtc-offer and webrtc-answer.");

    public static readonly Refusal SpeaksForItself =
        new(RefusalKind.Unprocessable, "sfu.speaks_for_itself", "Connect to LiveKit itself, with the url and the token of joined-room.");

    public static readonly Refusal Away =
        new(RefusalKind.Busy, "sfu.away", "The media server does not answer. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(5) };

    public static readonly Refusal Refused = new(RefusalKind.Unprocessable, "sfu.refused", "The media server did not accept this.");

    public static readonly Refusal Unknown = new(RefusalKind.NotFound, "sfu.not_found", "The media server does not know this.");

    public static readonly Refusal CannotRecord =
        new(RefusalKind.Unprocessable, "sfu.cannot_record", "This server's rooms cannot be recorded: that takes LiveKit and its egress service.");

    public static readonly Refusal NobodySends =
        new(RefusalKind.Conflict, "sfu.nobody_sends", "Nobody is connected to the media server in this room yet. There is nothing to record.");

    public static readonly Refusal Over = new(RefusalKind.Conflict, "sfu.over", "This has ended already.");

    public static readonly Refusal NotYours = new(RefusalKind.NotFound, "sfu.not_yours", "You have no such transport, producer or consumer in this room.");
}
