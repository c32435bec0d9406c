using System.Text.Json;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Rooms;

/// <summary>Peers send to each other, or to a unit that they speak with by themselves: what one would be told here is refused.</summary>
internal class NoForwardingUnit(Refusal why) : ISelectiveForwardingUnit
{
    private readonly Task<Result<JsonElement>> _no = Task.FromResult<Result<JsonElement>>(why);

    public virtual Task<Result<SfuSession>?> JoinAsync(SfuPeer peer, CancellationToken cancellationToken) => Task.FromResult<Result<SfuSession>?>(null);

    public virtual Task LeaveAsync(Guid room, string peer, CancellationToken cancellationToken) => Task.CompletedTask;

    public virtual Task RemoveAsync(Guid room, string peer, CancellationToken cancellationToken) => Task.CompletedTask;

    public virtual Task MuteAsync(Guid room, string peer, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<Result<JsonElement>> CreateTransportAsync(Guid room, string peer, string direction, CancellationToken cancellationToken) => _no;

    public Task<Result<JsonElement>> ConnectTransportAsync(Guid room, string transport, JsonElement dtlsParameters, CancellationToken cancellationToken) => _no;

    public Task<Result<JsonElement>> ProduceAsync(Guid room, string peer, string kind, JsonElement rtpParameters, CancellationToken cancellationToken) => _no;

    public Task<Result<JsonElement>> ConsumeAsync(Guid room, string peer, string producer, JsonElement rtpCapabilities, CancellationToken cancellationToken) => _no;

    public Task<Result<JsonElement>> CloseProducerAsync(Guid room, string producer, CancellationToken cancellationToken) => _no;

    public Task<Result<JsonElement>> CloseConsumerAsync(Guid room, string consumer, CancellationToken cancellationToken) => _no;

    public virtual Task CloseAsync(Guid room, CancellationToken cancellationToken) => Task.CompletedTask;

    public virtual Task<Result<string>> RecordAsync(Guid room, string file, CancellationToken cancellationToken) => Task.FromResult<Result<string>>(SfuRefusals.CannotRecord);

    public virtual Task<Refusal?> StopRecordingAsync(string egress, CancellationToken cancellationToken) => Task.FromResult<Refusal?>(SfuRefusals.CannotRecord);
}
