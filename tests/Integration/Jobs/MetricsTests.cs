using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>Done jobs leave no row, only numbers. The meter is the process's: other tests use other kinds.</summary>
public sealed class MetricsTests(JobApi api) : IClassFixture<JobApi>
{
    [Fact]
    public async Task A_job_is_counted_when_it_comes_fails_and_is_done()
    {
        var seen = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name.StartsWith("vtp.jobs.", StringComparison.Ordinal))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(instrument, 1, tags));
        listener.Start();
        api.Runs.Work = (run, _) => run.Attempts == 1 ? throw new InvalidDataException("the first time") : Task.CompletedTask;

        await api.EnqueueAsync(new CountedCommand("counted"));
        await VtpApi.UntilAsync(async () => await api.OfJobAsync<string>("counted", "state") == "scheduled", "the first attempt");
        api.Clock.Advance(TimeSpan.FromMinutes(1));
        await api.EmptyAsync();

        await VtpApi.UntilAsync(() => seen.GetValueOrDefault("vtp.jobs.run") == 1, "the last number");
        seen.Should().Contain("vtp.jobs.enqueued", 1).And.Contain("vtp.jobs.failed", 1).And.Contain("vtp.jobs.duration", 2);

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var tag in tags)
            {
                if (tag is { Key: "kind", Value: "test.counted" })
                {
                    seen.AddOrUpdate(instrument.Name, value, (_, before) => before + value);
                }
            }
        }
    }
}
