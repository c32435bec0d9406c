using FluentValidation;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>Where a job is: it waits for its time, is due, runs, or was given up.</summary>
public enum JobState
{
    Scheduled,
    Ready,
    Running,
    Dead,
}

/// <summary>A run that failed.</summary>
/// <param name="Attempt">From 1.</param>
/// <param name="Type">A kind of exception, or the code of a refusal.</param>
public sealed record JobError(int Attempt, DateTimeOffset At, string Type, string Message);

/// <summary>A job that waits, runs or was given up. Done ones are gone.</summary>
/// <param name="RunAt">Not before then; of a dead one, when it was given up.</param>
/// <param name="Attempts">Runs that began, interrupted ones left out.</param>
/// <param name="Payload">What it works on: ids, never secrets.</param>
/// <param name="Errors">The last ten, oldest first.</param>
public sealed record JobView(
    Guid Id,
    string Kind,
    JobState State,
    Guid? OrganizationId,
    Guid? ProjectId,
    string? UniqueKey,
    DateTimeOffset RunAt,
    int Attempts,
    int MaxAttempts,
    string Payload,
    IReadOnlyList<JobError> Errors,
    DateTimeOffset EnqueuedAt);

/// <summary>The queue, as administrators see and change it.</summary>
public interface IJobAdministration
{
    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<JobView>> ListAsync(
        JobState? state, string? kind, Guid? organization, bool? hasFailed, Guid? before, int limit, CancellationToken cancellationToken);

    Task<JobView?> FindAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>A dead one begins anew; one that waits is due now.</summary>
    /// <returns>False: there is none, or it runs.</returns>
    Task<bool> RetryAsync(Guid id, CancellationToken cancellationToken);

    /// <returns>False: there is none, or it runs.</returns>
    Task<bool> DeleteAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>Begins dead ones anew, oldest first.</summary>
    /// <returns>How many.</returns>
    Task<int> ReplayAsync(string kind, int limit, CancellationToken cancellationToken);

    /// <returns>False: this version knows no such kind.</returns>
    Task<bool> PauseKindAsync(string kind, CancellationToken cancellationToken);

    /// <returns>False: it is not paused, and this version knows no such kind.</returns>
    Task<bool> ResumeKindAsync(string kind, CancellationToken cancellationToken);
}

/// <summary>Numbers of the queue. What a node did in the last second may not be among them yet.</summary>
public interface IJobStatistics
{
    Task<JobStatistics> ReadAsync(CancellationToken cancellationToken);
}

/// <param name="Name">The kind of the job that a tick enqueues.</param>
/// <param name="Cron">Seconds, minutes, hours, days, months, weekdays.</param>
/// <param name="TimeZone">An IANA name.</param>
/// <param name="NextAt">The next tick; null when there is none.</param>
/// <param name="LastAt">The last tick; null before the first.</param>
public sealed record ScheduleView(string Name, string Cron, string TimeZone, bool Paused, DateTimeOffset? NextAt, DateTimeOffset? LastAt);

/// <summary>The clock-driven jobs of all nodes.</summary>
public interface ISchedules
{
    Task<IReadOnlyList<ScheduleView>> ListAsync(CancellationToken cancellationToken);

    /// <summary>One tick now, whatever its times; a paused one ticks too.</summary>
    /// <returns>False: there is none of that name.</returns>
    Task<bool> RunAsync(string name, CancellationToken cancellationToken);

    /// <returns>False: there is none of that name.</returns>
    Task<bool> PauseAsync(string name, CancellationToken cancellationToken);

    /// <summary>Ticks that it missed meanwhile are made up for by one.</summary>
    /// <returns>False: there is none of that name.</returns>
    Task<bool> ResumeAsync(string name, CancellationToken cancellationToken);
}

internal static class JobRefusals
{
    public static readonly Refusal NotFound = new(RefusalKind.NotFound, "job.not_found", "There is no such job; it may be done.");

    public static readonly Refusal Running = new(RefusalKind.Conflict, "job.running", "This job runs at this moment.");

    public static readonly Refusal NoKind = new(RefusalKind.NotFound, "job.kind_not_found", "There is no such kind of job.");

    public static readonly Refusal NoSchedule = new(RefusalKind.NotFound, "schedule.not_found", "There is no such schedule.");
}

internal static class JobRules
{
    public static void IsJobKind<T>(this IRuleBuilder<T, string?> kind) => kind.NotEmpty().MaximumLength(100);
}
