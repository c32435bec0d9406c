using System.Runtime.InteropServices;
using Vtp.Domain.Common;

namespace Vtp.Domain.Webhooks;

public enum BreakerState
{
    /// <summary>Deliveries go out.</summary>
    Closed,

    /// <summary>Deliveries wait until the cool-down is over.</summary>
    Open,

    /// <summary>One delivery probes, the others wait for what comes of it.</summary>
    HalfOpen,
}

public enum Admission
{
    Wait,
    Go,

    /// <summary>Go, and say so when telling how it ended.</summary>
    Probe,
}

/// <summary>How long an endpoint has only failed; of each its owners are told once.</summary>
public enum FailureMilestone
{
    None,
    OneHour,
    OneDay,
    Disabled,
}

public enum DisabledReason
{
    /// <summary>It has only failed for five days.</summary>
    Failing,

    /// <summary>It answered 410.</summary>
    Gone,
}

/// <summary>Attempts of half a minute.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct HealthBucket(long Index, int Attempts, int Failures);

/// <summary>
/// Whether deliveries to an endpoint may go out: a breaker that pauses it long before it is disabled. All of it is state to be
/// stored; each transition answers the next state. No transition trusts the clock to go forward, for nodes' clocks differ and step.
/// </summary>
public sealed record EndpointHealth
{
    public static readonly EndpointHealth New = new();

    public static readonly TimeSpan ShortestCoolDown = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan LongestCoolDown = TimeSpan.FromMinutes(30);

    /// <summary>A probe that was not heard of for this long died with its node. Longer than any attempt may take.</summary>
    public static readonly TimeSpan ProbeLease = TimeSpan.FromMinutes(1);

    /// <summary>Only failures for this long disable an endpoint; silence of this length starts the count anew.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromDays(5);

    /// <summary>How soon after it was enabled by hand it can be enabled again.</summary>
    public static readonly TimeSpan EnableCoolDown = TimeSpan.FromMinutes(5);

    private const int FailuresToOpen = 10;
    private const int AttemptsToJudge = 10;
    private const double FailureRatio = 0.7;
    private const int Buckets = 10;
    private const int BucketSeconds = 30;

    public BreakerState State { get; init; }

    public int FailuresInRow { get; init; }

    /// <summary>Of the failures in a row.</summary>
    public DateTimeOffset? FirstFailedAt { get; init; }

    public DateTimeOffset? LastFailedAt { get; init; }

    /// <summary>The last five minutes.</summary>
    public IReadOnlyList<HealthBucket> Window { get; init; } = [];

    public DateTimeOffset? OpenedAt { get; init; }

    /// <summary>How often in a row it opened; each doubles the cool-down.</summary>
    public int Trips { get; init; }

    public DateTimeOffset? ProbedAt { get; init; }

    public FailureMilestone Milestone { get; init; }

    public DateTimeOffset? DisabledAt { get; init; }

    public DisabledReason? DisabledReason { get; init; }

    public DateTimeOffset? EnabledAt { get; init; }

    public TimeSpan CoolDown => Trips == 0
        ? TimeSpan.Zero
        : TimeSpan.FromTicks(Math.Min(LongestCoolDown.Ticks, ShortestCoolDown.Ticks << Math.Min(Trips - 1, 10)));

    /// <summary>When it is worth asking again while deliveries wait; null when they do not, or wait for good.</summary>
    public DateTimeOffset? AskAgainAt => (State, DisabledAt) switch
    {
        (_, not null) or (BreakerState.Closed, _) => null,
        (BreakerState.HalfOpen, _) => ProbedAt + ProbeLease,
        _ => OpenedAt + CoolDown,
    };

    /// <summary>Asked before each attempt, and the answer's state stored before it is made.</summary>
    public (Admission Admission, EndpointHealth Next) Admit(DateTimeOffset now)
    {
        if (DisabledAt is not null)
        {
            return (Admission.Wait, this);
        }

        return State switch
        {
            BreakerState.Closed => (Admission.Go, this),
            BreakerState.Open when Within(OpenedAt, CoolDown, now) => (Admission.Wait, this),
            BreakerState.HalfOpen when Within(ProbedAt, ProbeLease, now) => (Admission.Wait, this),
            _ => (Admission.Probe, this with { State = BreakerState.HalfOpen, ProbedAt = now }),
        };
    }

    /// <summary>Closes the breaker, also when the attempt was under way since before it opened.</summary>
    public EndpointHealth Succeeded(DateTimeOffset now) => this with
    {
        State = BreakerState.Closed,
        FailuresInRow = 0,
        FirstFailedAt = null,
        LastFailedAt = null,
        Window = State == BreakerState.Closed ? Count(now, failures: 0) : [],
        OpenedAt = null,
        Trips = 0,
        ProbedAt = null,
        Milestone = DisabledAt is null ? FailureMilestone.None : Milestone,
    };

    /// <param name="wasProbe">Whether <see cref="Admit"/> said so; the end of an older attempt says nothing of the probe.</param>
    /// <param name="now">When the attempt ended.</param>
    /// <returns>The next state, and the milestone that its owners are to be told of.</returns>
    public (EndpointHealth Next, FailureMilestone? Reached) Failed(bool wasProbe, DateTimeOffset now)
    {
        var wasSilent = LastFailedAt is { } last && now - last >= Patience;
        var next = this with
        {
            FailuresInRow = wasSilent ? 1 : FailuresInRow + 1,
            FirstFailedAt = wasSilent || FirstFailedAt is not { } first || first > now ? now : FirstFailedAt,
            LastFailedAt = now,
            Milestone = wasSilent && DisabledAt is null ? FailureMilestone.None : Milestone,
            Window = State == BreakerState.Closed ? Count(now, failures: 1) : Window,
        };

        if (State == BreakerState.HalfOpen && wasProbe || State == BreakerState.Closed && next.IsTooMuch())
        {
            next = next with { State = BreakerState.Open, OpenedAt = now, Trips = Trips + 1, ProbedAt = null, Window = [] };
        }

        return DisabledAt is null ? next.Report(now) : (next, null);
    }

    /// <summary>The endpoint answered 410.</summary>
    public (EndpointHealth Next, FailureMilestone? Reached) Gone(DateTimeOffset now) => DisabledAt is null
        ? (Disable(Webhooks.DisabledReason.Gone, now), FailureMilestone.Disabled)
        : (this, null);

    /// <summary>By hand. What is not disabled stays as it is: its counts are true.</summary>
    public Result<EndpointHealth> Enable(DateTimeOffset now)
    {
        if (DisabledAt is null)
        {
            return this;
        }

        return Within(EnabledAt, EnableCoolDown, now) ? WebhookRefusals.EnabledRecently : New with { EnabledAt = now };
    }

    // A time that lies ahead was told by another clock: what it began is taken as over rather than as endless.
    private static bool Within(DateTimeOffset? start, TimeSpan length, DateTimeOffset now) => start <= now && now - start < length;

    private static long Index(DateTimeOffset now) => Math.DivRem(now.ToUnixTimeSeconds(), BucketSeconds).Quotient;

    private HealthBucket[] Count(DateTimeOffset now, int failures)
    {
        var index = Index(now);
        var kept = Window.Where(bucket => bucket.Index <= index && bucket.Index > index - Buckets).ToDictionary(bucket => bucket.Index);
        var current = kept.GetValueOrDefault(index, new HealthBucket(index, 0, 0));
        kept[index] = current with { Attempts = current.Attempts + 1, Failures = current.Failures + failures };
        return [.. kept.Values.OrderBy(bucket => bucket.Index)];
    }

    private bool IsTooMuch()
    {
        var (attempts, failures) = (Window.Sum(bucket => bucket.Attempts), Window.Sum(bucket => bucket.Failures));
        return FailuresInRow >= FailuresToOpen || (attempts >= AttemptsToJudge && failures >= FailureRatio * attempts);
    }

    private (EndpointHealth Next, FailureMilestone? Reached) Report(DateTimeOffset now)
    {
        var failing = now - FirstFailedAt!.Value;
        // A clock that stepped must not disable what failed a few times.
        if (failing >= Patience && FailuresInRow >= FailuresToOpen)
        {
            return (Disable(Webhooks.DisabledReason.Failing, now), FailureMilestone.Disabled);
        }

        var reached = failing >= TimeSpan.FromDays(1) ? FailureMilestone.OneDay
            : failing >= TimeSpan.FromHours(1) ? FailureMilestone.OneHour
            : FailureMilestone.None;
        return reached > Milestone ? (this with { Milestone = reached }, reached) : (this, null);
    }

    private EndpointHealth Disable(DisabledReason reason, DateTimeOffset now) =>
        this with { DisabledAt = now, DisabledReason = reason, Milestone = FailureMilestone.Disabled };
}

public static class WebhookRefusals
{
    public static readonly Refusal NotFound =
        new(RefusalKind.NotFound, "webhook.not_found", "There is no such endpoint.");

    public static readonly Refusal DeliveryNotFound =
        new(RefusalKind.NotFound, "webhook.delivery_not_found", "There is no such delivery, or it is not kept any more.");

    public static readonly Refusal TooMany =
        new(RefusalKind.Conflict, "webhook.too_many", "The project has as many endpoints as it may.");

    public static readonly Refusal NotSentTo =
        new(RefusalKind.Conflict, "webhook.not_sent_to", "The endpoint is switched off or disabled. Enable it first.");

    public static readonly Refusal Unsupported =
        Refusal.Field("signature", "webhook.signature_unsupported", "This server cannot sign with ed25519: its OpenSSL is older than 3.");

    public static readonly Refusal EnabledRecently = new(
        RefusalKind.Conflict, "webhook.enabled_recently", "The endpoint was enabled less than five minutes ago and failed again. Mend it first.");
}
