using Quartz;
using Vtp.Application.Operations.Jobs;

namespace Vtp.Infrastructure.Jobs.Schedules;

internal sealed class ScheduleAdministration(ISchedulerFactory schedulers, IEnumerable<Schedule> schedules) : ISchedules
{
    public async Task<IReadOnlyList<ScheduleView>> ListAsync(CancellationToken cancellationToken)
    {
        var (scheduler, views) = (await schedulers.GetScheduler(cancellationToken), new List<ScheduleView>());
        foreach (var schedule in schedules.OrderBy(schedule => schedule.Name, StringComparer.Ordinal))
        {
            var key = new TriggerKey(schedule.Name);
            var trigger = await scheduler.GetTrigger(key, cancellationToken);
            var isPaused = await scheduler.GetTriggerState(key, cancellationToken) == TriggerState.Paused;
            views.Add(new ScheduleView(schedule.Name, schedule.Cron, schedule.TimeZone, isPaused, trigger?.NextFireTimeUtc, trigger?.PreviousFireTimeUtc));
        }

        return views;
    }

    public Task<bool> RunAsync(string name, CancellationToken cancellationToken) =>
        DoAsync(name, scheduler => scheduler.TriggerJob(new JobKey(name), cancellationToken: cancellationToken).AsTask(), cancellationToken);

    public Task<bool> PauseAsync(string name, CancellationToken cancellationToken) =>
        DoAsync(name, async scheduler => await scheduler.PauseTrigger(new TriggerKey(name), cancellationToken), cancellationToken);

    public Task<bool> ResumeAsync(string name, CancellationToken cancellationToken) =>
        DoAsync(name, async scheduler => await scheduler.ResumeTrigger(new TriggerKey(name), cancellationToken), cancellationToken);

    private async Task<bool> DoAsync(string name, Func<IScheduler, Task> act, CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        if (!await scheduler.Exists(new TriggerKey(name), cancellationToken))
        {
            return false;
        }

        await act(scheduler);
        return true;
    }
}
