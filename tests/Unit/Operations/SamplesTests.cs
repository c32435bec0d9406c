using Vtp.Infrastructure.Performance;

namespace Vtp.Unit.Operations;

public sealed class SamplesTests
{
    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 1, 2, 2)]
    [InlineData(10, 5, 10, 10)]
    [InlineData(20, 10, 19, 20)]
    [InlineData(100, 50, 95, 99)]
    [InlineData(1000, 500, 950, 990)]
    public void Percentiles_are_by_nearest_rank(int count, double p50, double p95, double p99)
    {
        var samples = new Samples();
        foreach (var sample in Enumerable.Range(1, count).Reverse())
        {
            samples.Add(0, sample);
        }

        var times = Samples.Describe(samples.Since(0));

        (times.P50, times.P95, times.P99, times.Samples).Should().Be((p50, p95, p99, count));
        times.Average.Should().Be((count + 1) / 2.0);
    }

    [Fact]
    public void The_last_thousand_count_and_of_these_those_that_are_new_enough()
    {
        var samples = new Samples();
        for (var at = 1; at <= 1500; at++)
        {
            samples.Add(at, at);
        }

        samples.Since(0).Should().HaveCount(1000).And.OnlyContain(sample => sample > 500);
        samples.Since(1491).Should().HaveCount(10);
        Samples.Describe(samples.Since(1501)).P95.Should().BeNull();
    }
}
