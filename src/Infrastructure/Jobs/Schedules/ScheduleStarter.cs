using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Vtp.Infrastructure.Jobs.Schedules;

/// <summary>
/// Brings the schedules in the database up to this version, leaves those alone that have not changed (one may be paused), and
/// lets them tick. While the database is away it tries again.
/// </summary>
internal sealed partial class ScheduleStarter(
    ISchedulerFactory schedulers, IEnumerable<Schedule> schedules, TimeProvider clock, ILogger<ScheduleStarter> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                var scheduler = await schedulers.GetScheduler(stoppingToken);
                foreach (var schedule in schedules)
                {
                    await StoreAsync(scheduler, schedule, stoppingToken);
                }

                await scheduler.Start(stoppingToken);
                return;
            }
#pragma warning disable CA1031 // Whatever it is, the server does the rest of its work.
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogNotStarted(exception);
            }

            await Task.Delay(Pause, stoppingToken);
        }
    }

    private async Task StoreAsync(IScheduler scheduler, Schedule schedule, CancellationToken cancellationToken)
    {
        var key = new JobKey(schedule.Name);
        var stored = await scheduler.GetTrigger(new TriggerKey(schedule.Name), cancellationToken) as ICronTrigger;
        if (stored is not null && stored.CronExpressionString == schedule.Cron && stored.TimeZone.Id == schedule.TimeZone)
        {
            return;
        }

        var job = JobBuilder.Create<Tick>().WithIdentity(key).StoreDurably().RequestRecovery().Build();
        await scheduler.ScheduleJob(job, [schedule.Trigger(clock)], new ScheduleJobOptions { Replace = true }, cancellationToken);
        if (stored is null)
        {
            // What there is to do has waited for as long as the schedule was not there.
            await scheduler.TriggerJob(key, cancellationToken: cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Schedules could not be started; trying again")]
    private partial void LogNotStarted(Exception exception);
}
