using Vtp.Application.Realtime;

namespace Vtp.Infrastructure.Realtime;

/// <summary>For a server that is alone. The topics themselves hold what is kept.</summary>
internal sealed class MemoryBackplane : IBackplane
{
    private readonly string _epoch = Guid.NewGuid().ToString("N")[..8];
    private readonly Lock _lock = new();
    private long _head;

    public IBackplaneListener Listener { private get; set; } = null!;

    public Task<IReadOnlyList<LogPosition>> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> messages, LogPosition known, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var first = _head + 1;
            _head += messages.Count;
            return Task.FromResult<IReadOnlyList<LogPosition>>([.. messages.Select((_, index) => new LogPosition(_epoch, first + index))]);
        }
    }

    public Task SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> messages, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<LogState> LookAsync(LogPosition known, CancellationToken cancellationToken) => Task.FromResult(new LogState(_epoch, _head, Floor: 0));

    public Task<IReadOnlyList<KeptMessage>> ReadAsync(LogPosition after, int limit, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<KeptMessage>>([]);
}
