namespace Vtp.Infrastructure.Events;

/// <summary>For how long what happened is kept.</summary>
internal sealed class EventOptions
{
    /// <summary>Days that an event stays in the log, to within a week.</summary>
    public int KeepDays { get; init; } = 90;

    /// <summary>Days that deliveries, their attempts and what LiveKit told stay, to within a week.</summary>
    public int KeepDeliveriesDays { get; init; } = 30;
}
