using System.Diagnostics;
using OpenTelemetry.Trace;
using Vtp.Infrastructure.Observability;
using Vtp.Unit.Common;

namespace Vtp.Unit.Observability;

public sealed class PacedSamplerTests
{
    private readonly TestClock _clock = new();

    [Fact]
    public void A_second_has_room_for_fifty_traces_and_the_next_one_for_fifty_more()
    {
        var sampler = new PacedSampler(_clock);

        Recorded(sampler, 1000).Should().Be(PacedSampler.TracesPerSecond);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Recorded(sampler, 1000).Should().Be(PacedSampler.TracesPerSecond);
    }

    [Fact]
    public void A_client_that_asks_to_be_recorded_takes_its_turn()
    {
        var sampler = new PacedSampler(_clock);
        Recorded(sampler, 1000);

        IsRecorded(sampler, ActivityKind.Server, ActivityTraceFlags.Recorded).Should().BeFalse();
    }

    [Fact]
    public void What_a_trace_has_begun_is_recorded_whole_or_not_at_all()
    {
        var sampler = new PacedSampler(_clock);
        Recorded(sampler, 1000);

        IsRecorded(sampler, ActivityKind.Consumer, ActivityTraceFlags.Recorded).Should().BeTrue();
        _clock.Advance(TimeSpan.FromSeconds(1));
        IsRecorded(sampler, ActivityKind.Consumer, ActivityTraceFlags.None).Should().BeFalse();
    }

    private static int Recorded(PacedSampler sampler, int count) => Enumerable.Range(0, count).Count(_ =>
        sampler.ShouldSample(new SamplingParameters(default, ActivityTraceId.CreateRandom(), "request", ActivityKind.Server)).Decision == SamplingDecision.RecordAndSample);

    private static bool IsRecorded(PacedSampler sampler, ActivityKind kind, ActivityTraceFlags flags)
    {
        var parent = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), flags, isRemote: true);
        return sampler.ShouldSample(new SamplingParameters(parent, parent.TraceId, "work", kind)).Decision == SamplingDecision.RecordAndSample;
    }
}
