using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Vtp.Domain.Webhooks;

namespace Vtp.Unit.Webhooks;

public sealed class RetryScheduleTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 9, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan[] Expected =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    [Fact]
    public void Ten_attempts_are_made_over_75_hours_and_35_minutes_each_within_a_tenth_of_its_time()
    {
        RetrySchedule.Standard.Attempts.Should().Be(10);
        Expected.Aggregate((sum, delay) => sum + delay).Should().Be(new TimeSpan(75, 35, 5));
        for (var round = 0; round < 500; round++)
        {
            for (var made = 1; made <= 9; made++)
            {
                (RetrySchedule.Standard.Next(made, Now)!.Value - Now).Should()
                    .BeGreaterThanOrEqualTo(Expected[made - 1] * 0.9).And.BeLessThanOrEqualTo(Expected[made - 1] * 1.1);
            }
        }

        RetrySchedule.Standard.Next(10, Now).Should().BeNull();
        RetrySchedule.Standard.Next(10, Now, TimeSpan.FromHours(1)).Should().BeNull("a wish gives no eleventh attempt");
    }

    [Fact]
    public void Deliveries_that_fail_together_are_not_tried_again_together() =>
        Enumerable.Range(0, 200).Select(_ => RetrySchedule.Standard.Next(3, Now)).Distinct().Should().HaveCountGreaterThan(50);

    [Fact]
    public void A_wish_makes_it_later_never_sooner_and_by_a_day_at_most() =>
        Prop.ForAll(
            Gen.Choose(1, 9).ToArbitrary(),
            Gen.Choose(-100, 500_000).ToArbitrary(),
            (made, seconds) =>
            {
                var wait = RetrySchedule.Standard.Next(made, Now, TimeSpan.FromSeconds(seconds))!.Value - Now;

                wait.Should().BeGreaterThanOrEqualTo(Expected[made - 1] * 0.9);
                wait.Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(Math.Min(seconds, 86_400)));
                wait.Should().BeLessThanOrEqualTo(TimeSpan.FromSeconds(Math.Max(Expected[made - 1].TotalSeconds * 1.1, Math.Min(seconds, 86_400))));
            }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("120", 120)]
    [InlineData(" 0 ", 0)]
    [InlineData("86400", 86400)]
    [InlineData("999999", 86400)]
    [InlineData("99999999999999999999999999", 86400)]
    [InlineData("Sat, 21 Nov 2026 09:01:40 GMT", 100)]
    [InlineData("Saturday, 21-Nov-26 09:01:40 GMT", 100)]
    [InlineData("Sat Nov 21 09:01:40 2026", 100)]
    [InlineData("Sat, 21 Nov 2026 08:00:00 GMT", 0)]
    [InlineData("Fri, 01 Jan 2038 08:00:00 GMT", 86400)]
    public void Retry_After_is_seconds_or_a_date(string value, int seconds) =>
        RetrySchedule.ReadRetryAfter(value, Now).Should().Be(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("-5")]
    [InlineData("1.5")]
    [InlineData("٥")]
    [InlineData("2026-11-21T09:00:00Z")]
    public void Retry_After_that_says_nothing_is_nothing(string? value) => RetrySchedule.ReadRetryAfter(value, Now).Should().BeNull();

    [Fact]
    public void Only_2xx_is_a_delivery_and_only_410_the_end()
    {
        for (var status = 100; status <= 599; status++)
        {
            RetrySchedule.Judge(status).Should().Be(
                status / 100 == 2 ? DeliveryVerdict.Delivered : status == 410 ? DeliveryVerdict.Gone : DeliveryVerdict.Failed,
                status.ToString(CultureInfo.InvariantCulture));
        }

        RetrySchedule.Judge(null).Should().Be(DeliveryVerdict.Failed);
    }
}
