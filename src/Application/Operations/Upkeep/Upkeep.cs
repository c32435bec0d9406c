namespace Vtp.Application.Operations.Upkeep;

/// <summary>Removes what has had its time. Each part may be done twice, and by two nodes at once.</summary>
public interface IUpkeep
{
    /// <summary>Challenges, codes and tokens that have expired, and sessions that ended so long ago that nobody asks about them.</summary>
    Task RemoveExpiredSecretsAsync(CancellationToken cancellationToken);

    /// <summary>Answers to idempotent requests that nobody is given any more.</summary>
    Task RemoveExpiredAnswersAsync(CancellationToken cancellationToken);

    /// <summary>Makes the partitions that the trail of the coming months needs, and drops those whose time is over.</summary>
    Task KeepAuditPartitionsAsync(CancellationToken cancellationToken);

    /// <summary>Signs the ends of chains that have grown since their last checkpoint.</summary>
    Task SignAuditCheckpointsAsync(CancellationToken cancellationToken);

    /// <summary>Organizations and projects that were deleted more than 30 days ago, with all that is theirs but the trail; old invitations.</summary>
    Task PurgeDeletedAsync(CancellationToken cancellationToken);

    /// <summary>Dead letters past their time, and what was counted minute by minute more than two days ago.</summary>
    Task RemoveOldJobsAsync(CancellationToken cancellationToken);

    /// <summary>Makes the partitions that events and deliveries need next, and drops those whose time is over.</summary>
    Task KeepEventPartitionsAsync(CancellationToken cancellationToken);

    /// <summary>Wakes the senders of deliveries that are overdue, and erases secrets that sign nothing more.</summary>
    Task SweepWebhooksAsync(CancellationToken cancellationToken);

    /// <summary>Exports whose job was given up are failed; those past their time go.</summary>
    Task SweepExportsAsync(CancellationToken cancellationToken);

    /// <summary>Mail that a server of an older version wrote and nobody sends: it gets a job.</summary>
    Task AdoptMailAsync(CancellationToken cancellationToken);
}
