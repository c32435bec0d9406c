using System.Text.Json;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.Signaling;

/// <summary>What participants say to the media server. It believes whatever it is told, so that here is kept whose each thing is.</summary>
internal sealed partial class SignalingFeature
{
    // Of one participant: camera, microphone and screen of each kind are fewer.
    private const int MaximumThings = 200;

    private static readonly Refusal TooManyThings = new(RefusalKind.TooMany, "sfu.too_many", "You have too many of these. Close some first.");

    private void AddMedia()
    {
        In("create-transport", CreateTransportAsync);
        In("connect-transport", ConnectTransportAsync);
        In("produce", ProduceAsync);
        In("consume", ConsumeAsync);
        In("close-producer", CloseProducerAsync);
        In("close-consumer", CloseConsumerAsync);

        // Older clients say themselves what the server says for them.
        In("newProducer", (seat, _, payload, _) => ValueTask.FromResult(new SocketReply(new { success = seat.Producers.ContainsKey(payload.Text("producer_id") ?? "") }, null)));
    }

    private async ValueTask<SocketReply> CreateTransportAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken)
    {
        var direction = payload.Text("direction");
        if (direction is not ("send" or "recv"))
        {
            return new(null, Refusal.Field("direction", "sfu.direction_unknown", "The direction is send or recv."));
        }

        if (!(await _sfu.CreateTransportAsync(seat.Room.Room, seat.Socket.Id, direction, cancellationToken)).TryGet(out var transport, out var refusal))
        {
            return new(null, refusal);
        }

        if (TextIn(transport, "transportId", "id") is { } id)
        {
            seat.Transports[direction] = id;
        }

        return Say(seat.Socket, "transport-created", transport);
    }

    private async ValueTask<SocketReply> ConnectTransportAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken)
    {
        // Older clients name it by its direction.
        var named = payload.Text("transport_id") ?? "";
        if (!seat.Transports.TryGetValue(named, out var transport) && seat.Transports.ContainsValue(named))
        {
            transport = named;
        }

        if (!payload.TryGetObject("dtls_parameters", out var parameters))
        {
            return new(null, Refusal.Field("dtls_parameters", "sfu.parameters_needed", "Send the parameters of DTLS, an object."));
        }

        return transport is null ? new(null, SfuRefusals.NotYours)
            : (await _sfu.ConnectTransportAsync(seat.Room.Room, transport, parameters, cancellationToken)).TryGet(out _, out var refusal)
                ? Say(seat.Socket, "transport-connected", new SignalJson().Add("transportId", transport))
                : new(null, refusal);
    }

    private async ValueTask<SocketReply> ProduceAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken)
    {
        var kind = payload.Text("kind");
        if (kind is not ("audio" or "video"))
        {
            return new(null, KindNeeded);
        }

        if (!payload.TryGetObject("rtp_parameters", out var parameters))
        {
            return new(null, Refusal.Field("rtp_parameters", "sfu.parameters_needed", "Send the parameters of RTP, an object."));
        }

        if (seat.Producers.Count >= MaximumThings)
        {
            return new(null, TooManyThings);
        }

        if (!(await _sfu.ProduceAsync(seat.Room.Room, seat.Socket.Id, kind, parameters, cancellationToken)).TryGet(out var producer, out var refusal))
        {
            return new(null, refusal);
        }

        if (TextIn(producer, "id") is { } id && seat.Producers.TryAdd(id, 0))
        {
            _presence.Enter(seat.ProducersTopic, id, JsonSerializer.SerializeToUtf8Bytes(new Producer(seat.Socket.Id, kind), Http.Json.Options));
            if (!state.Seats.Contains(seat))
            {
                _presence.Leave(seat.ProducersTopic, id); // Sent out meanwhile.
            }
        }

        return Say(seat.Socket, "producer-created", producer);
    }

    private async ValueTask<SocketReply> ConsumeAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken)
    {
        if (payload.Text("producer_id") is not { Length: <= 200 } producer)
        {
            return new(null, Refusal.Field("producer_id", "sfu.producer_needed", "Name the producer."));
        }

        if (!payload.TryGetObject("rtp_capabilities", out var capabilities))
        {
            return new(null, Refusal.Field("rtp_capabilities", "sfu.parameters_needed", "Send the capabilities of RTP, an object."));
        }

        if (seat.Consumers.Count >= MaximumThings)
        {
            return new(null, TooManyThings);
        }

        if (!(await _sfu.ConsumeAsync(seat.Room.Room, seat.Socket.Id, producer, capabilities, cancellationToken)).TryGet(out var consumer, out var refusal))
        {
            return new(null, refusal);
        }

        if (TextIn(consumer, "id") is { } id)
        {
            seat.Consumers.Add(id);
        }

        return Say(seat.Socket, "consumer-created", consumer);
    }

    private async ValueTask<SocketReply> CloseProducerAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken)
    {
        if (payload.Text("producer_id") is not { } producer || !seat.Producers.ContainsKey(producer))
        {
            return new(null, SfuRefusals.NotYours);
        }

        if ((await _sfu.CloseProducerAsync(seat.Room.Room, producer, cancellationToken)).Refusal is { } refusal && refusal != SfuRefusals.Unknown)
        {
            return new(null, refusal);
        }

        seat.Producers.TryRemove(producer, out _);
        _presence.Leave(seat.ProducersTopic, producer);
        return Say(seat.Socket, "producer-closed", new SignalJson().Add("producerId", producer));
    }

    private async ValueTask<SocketReply> CloseConsumerAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken)
    {
        if (payload.Text("consumer_id") is not { } consumer || !seat.Consumers.Contains(consumer))
        {
            return new(null, SfuRefusals.NotYours);
        }

        if ((await _sfu.CloseConsumerAsync(seat.Room.Room, consumer, cancellationToken)).Refusal is { } refusal && refusal != SfuRefusals.Unknown)
        {
            return new(null, refusal);
        }

        seat.Consumers.Remove(consumer);
        return Say(seat.Socket, "consumer-closed", new SignalJson().Add("consumerId", consumer));
    }

    private static string? TextIn(JsonElement json, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && SocketEvent.TextOf(value) is { Length: > 0 } text)
            {
                return text;
            }
        }

        return null;
    }

    /// <summary>As the media server said it.</summary>
    private static SocketReply Say(Socket socket, string name, JsonElement said)
    {
        socket.Emit(name, System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(said), []);
        return SocketReply.Raw([said], []);
    }
}
