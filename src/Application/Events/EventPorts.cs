namespace Vtp.Application.Events;

/// <param name="Events">In the order of the log.</param>
/// <param name="Through">The position up to which the log was looked at; reading goes on behind it.</param>
/// <param name="IsMore">Whether there is more behind that now.</param>
/// <param name="Dropped">The last position whose event is not kept any more.</param>
public sealed record EventStretch(IReadOnlyList<EventView> Events, long Through, bool IsMore, long Dropped);

/// <summary>Tells this node that the log has grown, by whichever node.</summary>
public interface IEventSignal
{
    /// <summary>Ends when the log grows next. To be taken before the log is read.</summary>
    Task Growth { get; }
}

/// <summary>The log of what happened, as far as the request's scope reaches.</summary>
public interface IEventLog
{
    /// <param name="after">The position that was read last; 0 for the beginning.</param>
    /// <param name="types">Null for all.</param>
    /// <param name="project">Null for all in view.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Of the request.</param>
    Task<EventStretch> ReadAsync(long after, IReadOnlyList<string>? types, Guid? project, int limit, CancellationToken cancellationToken);

    /// <returns>Null when there is none in view, or when it has no place in the log yet.</returns>
    Task<(EventView Event, long Position)?> FindAsync(Guid id, CancellationToken cancellationToken);
}
