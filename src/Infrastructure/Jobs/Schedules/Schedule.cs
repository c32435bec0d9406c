using Quartz;
using Vtp.Application.Common;
using Vtp.Application.Operations.Upkeep;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Jobs.Schedules;

/// <summary>
/// A job that is enqueued again and again. A tick only enqueues: runs, errors, retries and replay are the queue's. Ticks that
/// were missed while no server ran are made up for by one, at once.
/// </summary>
/// <param name="Cron">As Quartz writes it, seconds first. A time that a clock change skips fires when the gap ends; one that it repeats fires once.</param>
/// <param name="TimeZone">An IANA name.</param>
internal sealed record Schedule(string Cron, string TimeZone, Func<ICommand<Done>> Command)
{
    /// <summary>All of the server's own, spread over the hour.</summary>
    public static IReadOnlyList<Schedule> All { get; } =
    [
        new("30 * * * * ?", "Etc/UTC", () => new SignAuditCheckpointsCommand()),
        new("0 4/10 * * * ?", "Etc/UTC", () => new AdoptMailCommand()),
        new("0 2/5 * * * ?", "Etc/UTC", () => new SweepWebhooksCommand()),
        new("0 3/5 * * * ?", "Etc/UTC", () => new SweepExportsCommand()),
        new("0 7 * * * ?", "Etc/UTC", () => new KeepAuditPartitionsCommand()),
        new("0 12 * * * ?", "Etc/UTC", () => new KeepEventPartitionsCommand()),
        new("0 17 * * * ?", "Etc/UTC", () => new RemoveExpiredSecretsCommand()),
        new("0 27 * * * ?", "Etc/UTC", () => new RemoveExpiredAnswersCommand()),
        new("0 37 * * * ?", "Etc/UTC", () => new RemoveOldJobsCommand()),
        new("0 47 3 * * ?", "Etc/UTC", () => new PurgeDeletedCommand()),
    ];

    /// <summary>That of the kind of its jobs.</summary>
    public string Name => JobKind.Of(Command().GetType())!.Name;

    public ITrigger Trigger(TimeProvider clock) => TriggerBuilder.Create(clock)
        .WithIdentity(Name)
        .ForJob(Name)
        .WithSchedule(CronScheduleBuilder.Create(Cron).InTimeZone(TimeZoneInfo.FindSystemTimeZoneById(TimeZone)).WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed))
        .Build();
}
