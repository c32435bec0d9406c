using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Vtp.Domain.Webhooks;

namespace Vtp.Unit.Webhooks;

public sealed class EndpointHealthTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Fact]
    public void It_opens_after_ten_failures_in_a_row_and_not_before()
    {
        var health = EndpointHealth.New;
        for (var failure = 1; failure <= 10; failure++)
        {
            health.Admit(At(failure * 3600)).Admission.Should().Be(Admission.Go, "failure {0} is still to come", failure);
            health = health.Failed(wasProbe: false, At(failure * 3600)).Next;
        }

        health.State.Should().Be(BreakerState.Open);
        health.Admit(At((10 * 3600) + 29)).Admission.Should().Be(Admission.Wait);
    }

    [Theory]
    [InlineData(7, 3, true)]
    [InlineData(6, 4, false)]
    [InlineData(6, 2, false)]
    public void It_opens_when_seven_of_ten_within_five_minutes_fail(int failures, int successes, bool opens)
    {
        var health = EndpointHealth.New;
        for (var success = 0; success < successes; success++)
        {
            health = health.Succeeded(At(success));
        }

        for (var failure = 0; failure < failures; failure++)
        {
            health = health.Failed(wasProbe: false, At(10 + failure)).Next;
        }

        health.State.Should().Be(opens ? BreakerState.Open : BreakerState.Closed);
    }

    [Fact]
    public void Failures_of_more_than_five_minutes_ago_do_not_count_towards_the_share()
    {
        var health = EndpointHealth.New;
        for (var failure = 0; failure < 6; failure++)
        {
            health = health.Failed(wasProbe: false, At(0)).Next;
        }

        health = health.Succeeded(At(301));
        for (var failure = 0; failure < 6; failure++)
        {
            health = health.Failed(wasProbe: false, At(302)).Next;
        }

        health.State.Should().Be(BreakerState.Closed, "seven attempts are in the window");
    }

    [Fact]
    public void The_cool_down_doubles_from_half_a_minute_to_half_an_hour_and_lets_one_probe_through_each_time()
    {
        var (health, now) = (Opened(), At(0));
        foreach (var seconds in (int[])[30, 60, 120, 240, 480, 960, 1800, 1800, 1800])
        {
            health.CoolDown.Should().Be(TimeSpan.FromSeconds(seconds));
            health.AskAgainAt.Should().Be(now.AddSeconds(seconds));
            health.Admit(now.AddSeconds(seconds - 1)).Admission.Should().Be(Admission.Wait);
            now = now.AddSeconds(seconds);

            (var admission, health) = health.Admit(now);
            admission.Should().Be(Admission.Probe);
            health.Admit(now.AddSeconds(1)).Admission.Should().Be(Admission.Wait, "one probe is under way");

            health = health.Failed(wasProbe: true, now).Next;
        }
    }

    [Fact]
    public void A_success_closes_it_and_forgets_the_cool_down()
    {
        var (_, health) = Opened().Admit(At(30));

        health = health.Succeeded(At(31));

        health.Should().BeEquivalentTo(EndpointHealth.New);
        health.Admit(At(31)).Admission.Should().Be(Admission.Go);
    }

    [Fact]
    public void What_was_under_way_when_it_opened_says_nothing_of_the_probe()
    {
        var (_, health) = Opened().Admit(At(30));

        health = health.Failed(wasProbe: false, At(31)).Next;

        health.State.Should().Be(BreakerState.HalfOpen);
        health.Trips.Should().Be(1);
    }

    [Fact]
    public void A_probe_that_died_with_its_node_is_followed_by_another()
    {
        var (_, health) = Opened().Admit(At(30));

        health.Admit(At(89)).Admission.Should().Be(Admission.Wait);
        health.Admit(At(90)).Admission.Should().Be(Admission.Probe);
    }

    [Fact]
    public void Its_owners_are_told_after_an_hour_after_a_day_and_when_it_is_disabled_once_each()
    {
        var told = new List<(double Hours, FailureMilestone Milestone)>();
        var health = EndpointHealth.New;
        for (var now = Start; now <= Start.AddDays(6); now = now.AddMinutes(30))
        {
            (health, var reached) = health.Failed(wasProbe: health.Admit(now).Admission == Admission.Probe, now);
            if (reached is { } milestone)
            {
                told.Add(((now - Start).TotalHours, milestone));
            }
        }

        told.Should().Equal((1, FailureMilestone.OneHour), (24, FailureMilestone.OneDay), (120, FailureMilestone.Disabled));
        health.DisabledReason.Should().Be(DisabledReason.Failing);
        health.Admit(Start.AddDays(60)).Admission.Should().Be(Admission.Wait);
        health.AskAgainAt.Should().BeNull();
    }

    [Fact]
    public void One_success_in_five_days_forgives_all_and_the_owners_are_told_anew_of_the_next_time()
    {
        var health = EndpointHealth.New;
        for (var hour = 0; hour <= 300; hour++)
        {
            var now = At(hour * 3600);
            health = hour == 100 ? health.Succeeded(now) : health.Failed(health.Admit(now).Admission == Admission.Probe, now).Next;
            health.DisabledAt.Should().Be(hour < 221 ? null : At(221 * 3600));
        }

        EndpointHealth.New.Failed(false, At(0)).Next.Succeeded(At(1)).Failed(false, At(7200)).Reached.Should().BeNull();
    }

    [Fact]
    public void Rare_failures_disable_nothing()
    {
        var health = EndpointHealth.New;
        for (var day = 0; day < 100; day += 6)
        {
            health = health.Failed(wasProbe: false, Start.AddDays(day)).Next;
        }

        health.DisabledAt.Should().BeNull();
        health.State.Should().Be(BreakerState.Closed);
    }

    [Fact]
    public void An_answer_410_disables_at_once_and_is_told_once()
    {
        var (health, reached) = EndpointHealth.New.Gone(At(0));

        reached.Should().Be(FailureMilestone.Disabled);
        health.DisabledReason.Should().Be(DisabledReason.Gone);
        health.Admit(At(1)).Admission.Should().Be(Admission.Wait);
        health.Gone(At(2)).Reached.Should().BeNull();
        health.Failed(wasProbe: false, At(3)).Reached.Should().BeNull();
        health.Succeeded(At(4)).DisabledAt.Should().Be(At(0), "what was under way does not enable it");
    }

    [Fact]
    public void Enabling_starts_afresh_has_a_cool_down_and_leaves_alone_what_is_not_disabled()
    {
        var failing = EndpointHealth.New.Failed(wasProbe: false, At(0)).Next;
        Enable(failing, At(1)).Should().BeSameAs(failing);

        var enabled = Enable(failing.Gone(At(2)).Next, At(3));
        enabled.Admit(At(3)).Admission.Should().Be(Admission.Go);
        enabled.FailuresInRow.Should().Be(0);

        var again = enabled.Gone(At(4)).Next;
        again.Enable(At(302)).Refusal.Should().Be(WebhookRefusals.EnabledRecently);
        Enable(again, At(303)).DisabledAt.Should().BeNull();
    }

    [Fact]
    public void Whatever_happens_while_clocks_step_it_never_waits_for_more_than_half_an_hour_nor_is_disabled_for_few_failures() =>
        Prop.ForAll(Gen.Choose(0, 999_999).ArrayOf(60).ToArbitrary(), steps =>
        {
            var (health, now, failures) = (EndpointHealth.New, Start, 0);
            foreach (var step in steps)
            {
                // Mostly seconds, sometimes days, and half of those backwards.
                now += (step % 10) switch
                {
                    0 => TimeSpan.FromHours((step / 10 % 400) - 200),
                    1 => TimeSpan.FromMinutes(step / 10 % 90),
                    _ => TimeSpan.FromSeconds(step / 10 % 20),
                };
                (var admission, health) = health.Admit(now);
                if (admission == Admission.Wait)
                {
                    continue;
                }

                var succeeds = step / 5000 % 8 == 0;
                failures = succeeds ? 0 : failures + 1;
                health = succeeds ? health.Succeeded(now) : health.Failed(admission == Admission.Probe, now).Next;
                if (health.DisabledAt is not null)
                {
                    failures.Should().BeGreaterThanOrEqualTo(10);
                    return;
                }

                (health.FirstFailedAt ?? now).Should().BeOnOrBefore(now);
                foreach (var later in (TimeSpan[])[TimeSpan.FromMinutes(30), TimeSpan.FromDays(-3), TimeSpan.FromDays(3)])
                {
                    health.Admit(now + later).Admission.Should().NotBe(Admission.Wait);
                }
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void With_a_clock_that_goes_forward_it_is_disabled_exactly_when_it_only_failed_for_five_days() =>
        Prop.ForAll(Gen.Choose(0, 9999).ArrayOf(120).ToArbitrary(), steps =>
        {
            var (health, now, runs) = (EndpointHealth.New, Start, new List<DateTimeOffset>());
            foreach (var step in steps)
            {
                now += TimeSpan.FromMinutes(step % 1000);
                (var admission, health) = health.Admit(now);
                if (admission == Admission.Wait)
                {
                    continue;
                }

                if (step / 1000 == 0 && step % 3 == 0)
                {
                    runs.Clear();
                    health = health.Succeeded(now);
                    continue;
                }

                runs.Add(now);
                health = health.Failed(admission == Admission.Probe, now).Next;
                (health.DisabledAt is not null).Should().Be(runs.Count >= 10 && now - runs[0] >= TimeSpan.FromDays(5));
                if (health.DisabledAt is not null)
                {
                    return;
                }
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void It_survives_being_stored()
    {
        var health = Opened().Admit(At(30)).Next.Failed(wasProbe: true, At(3700)).Next.Failed(wasProbe: false, At(3701)).Next.Succeeded(At(3702)).Succeeded(At(3703));

        JsonSerializer.Deserialize<EndpointHealth>(JsonSerializer.Serialize(health)).Should().BeEquivalentTo(health);
        health.Window.Should().NotBeEmpty();
    }

    private static DateTimeOffset At(int seconds) => Start.AddSeconds(seconds);

    private static EndpointHealth Opened()
    {
        var health = EndpointHealth.New;
        for (var failure = 0; failure < 10; failure++)
        {
            health = health.Failed(wasProbe: false, At(0)).Next;
        }

        return health;
    }

    private static EndpointHealth Enable(EndpointHealth health, DateTimeOffset now) =>
        health.Enable(now).TryGet(out var enabled, out var refusal) ? enabled : throw new InvalidOperationException(refusal.Code);
}
