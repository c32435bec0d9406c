using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Vtp.Application.Common;

namespace Vtp.Integration.Http;

/// <summary>The meter is the process's: other tests may count in it too.</summary>
public sealed class LimitMetricsTests(DoorApi api) : IClassFixture<DoorApi>
{
    [Fact]
    public async Task Decisions_are_counted_by_policy_and_nobody_is_in_a_label()
    {
        var seen = new ConcurrentDictionary<(string Policy, string Outcome, string Counted), long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "vtp.ratelimit.decisions")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            tags.Length.Should().Be(3);
            seen.AddOrUpdate(((string)tags[0].Value!, (string)tags[1].Value!, (string)tags[2].Value!), value, (_, count) => count + value);
        });
        listener.Start();

        await api.ExhaustAsync(DoorApi.NewAddress());

        seen[("api", "admitted", "node")].Should().BeGreaterThanOrEqualTo(21);
        seen[("api", "refused", "node")].Should().BePositive();
        seen.Keys.Select(label => label.Policy).Should().BeSubsetOf(RateLimitPolicies.Defaults.Keys);
        seen.Keys.Select(label => label.Outcome).Should().BeSubsetOf(["admitted", "refused"]);
        seen.Keys.Select(label => label.Counted).Should().BeSubsetOf(["redis", "node", "share"]);
    }
}
