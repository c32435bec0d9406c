using Vtp.Application.Events;
using Vtp.Infrastructure.Notices;

namespace Vtp.Infrastructure.Events;

/// <summary>For the loop that numbers events and hands them on: this node has committed some.</summary>
internal sealed class EventWakes : Wakes;

internal sealed class EventSignal : IEventSignal
{
    public const string Channel = "vtp_events";

    private TaskCompletionSource _next = New();

    public Task Growth => Volatile.Read(ref _next).Task;

    public void Fire() => Interlocked.Exchange(ref _next, New()).SetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
