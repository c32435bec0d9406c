using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Vtp.Infrastructure.Jobs.Schedules;

/// <summary>
/// Brings the schedules in the database up to this version, leaves those alone that have not changed (one may be paused), and
/// lets them tick. While the database is away it tries again. It begins when the server listens: one that cannot listen ends
/// at once, and Quartz would fill the log with what it was torn from. For the same reason no step of Quartz is cut off half way.
/// </summary>
internal sealed partial class ScheduleStarter(
    ISchedulerFactory schedulers,
    IEnumerable<Schedule> schedules,
    TimeProvider clock,
    IHostApplicationLifetime lifetime,
    ILogger<ScheduleStarter> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(3);

    private IScheduler? _scheduler;

    /// <summary>Not by Quartz's own service: without its database Quartz goes on trying, whoever tells it to stop.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_scheduler is { } scheduler)
        {
            var stopping = Task.Run(() => scheduler.Shutdown(waitForJobsToComplete: false, CancellationToken.None).AsTask(), CancellationToken.None);
            await stopping.WaitAsync(LastWords, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var listens = new TaskCompletionSource();
        await using var started = lifetime.ApplicationStarted.Register(listens.SetResult);
        await listens.Task.WaitAsync(stoppingToken);

        while (true)
        {
            try
            {
                var scheduler = _scheduler = await schedulers.GetScheduler(CancellationToken.None);
                foreach (var schedule in schedules)
                {
                    stoppingToken.ThrowIfCancellationRequested();
                    await StoreAsync(scheduler, schedule);
                }

                await scheduler.Start(CancellationToken.None);
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

    private async Task StoreAsync(IScheduler scheduler, Schedule schedule)
    {
        var key = new JobKey(schedule.Name);
        var stored = await scheduler.GetTrigger(new TriggerKey(schedule.Name)) as ICronTrigger;
        if (stored is not null && stored.CronExpressionString == schedule.Cron && stored.TimeZone.Id == schedule.TimeZone)
        {
            return;
        }

        var job = JobBuilder.Create<Tick>().WithIdentity(key).StoreDurably().RequestRecovery().Build();
        await scheduler.ScheduleJob(job, [schedule.Trigger(clock)], new ScheduleJobOptions { Replace = true });
        if (stored is null)
        {
            // What there is to do has waited for as long as the schedule was not there.
            await scheduler.TriggerJob(key);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Schedules could not be started; trying again")]
    private partial void LogNotStarted(Exception exception);
}
