using Microsoft.Extensions.DependencyInjection;
using Quartz;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Jobs.Schedules;

/// <summary>Enqueues the job of one tick, once: a node that dies here leaves the tick to another.</summary>
internal sealed class Tick(IServiceScopeFactory scopes, IEnumerable<Schedule> schedules) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        // A newer node may know more of them; it sees to the next tick.
        if (schedules.FirstOrDefault(schedule => schedule.Name == context.JobDetail.Key.Name) is { } due)
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<VtpDbContext>();
            db.Enqueue(due.Command(), uniqueKey: $"tick {context.ScheduledFireTimeUtc ?? context.FireTimeUtc:O}");
            await db.SaveChangesAsync(cancellationToken);
        }
    }
}
