using Vtp.Application.Operations.Upkeep;
using Vtp.Infrastructure.Jobs.Schedules;

namespace Vtp.Unit.Common;

/// <summary>When schedules tick, on the days when clocks are changed too.</summary>
public sealed class ScheduleTests
{
    private static readonly Schedule HalfPastTwo = new("0 30 2 * * ?", "Europe/Berlin", () => new AdoptMailCommand());

    [Fact]
    public void A_time_that_the_clock_change_skips_ticks_once_that_day()
    {
        // 2026-03-29, 02:00 CET becomes 03:00 CEST.
        var ticks = Ticks(new(2026, 3, 28, 12, 0, 0, TimeSpan.Zero), 3);
        ticks.Should().Equal(
            new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 3, 30, 0, 30, 0, TimeSpan.Zero), new DateTimeOffset(2026, 3, 31, 0, 30, 0, TimeSpan.Zero));
    }

    [Fact]
    public void A_time_that_the_clock_change_repeats_ticks_once_that_day()
    {
        // 2026-10-25, 03:00 CEST becomes 02:00 CET.
        var ticks = Ticks(new(2026, 10, 24, 12, 0, 0, TimeSpan.Zero), 2);
        ticks.Should().Equal(new DateTimeOffset(2026, 10, 25, 0, 30, 0, TimeSpan.Zero), new DateTimeOffset(2026, 10, 26, 1, 30, 0, TimeSpan.Zero));
    }

    [Fact]
    public void The_schedules_of_the_server_have_names_of_their_own_and_tick_at_their_minutes()
    {
        Schedule.All.Should().NotBeEmpty();
        Schedule.All.Select(schedule => schedule.Name).Should().OnlyHaveUniqueItems();
        Schedule.All.Should().OnlyContain(schedule => schedule.Trigger(TimeProvider.System).GetFireTimeAfter(DateTimeOffset.UnixEpoch) != null);
    }

    private static List<DateTimeOffset> Ticks(DateTimeOffset after, int count)
    {
        var trigger = HalfPastTwo.Trigger(TimeProvider.System).GetTriggerBuilder().StartAt(after).Build();
        var ticks = new List<DateTimeOffset>();
        for (DateTimeOffset? last = after; ticks.Count < count; ticks.Add(last!.Value))
        {
            last = trigger.GetFireTimeAfter(last);
        }

        return ticks;
    }
}
