using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Vtp.Application.Operations.Performance;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Performance;

/// <summary>
/// Times every statement that this server sends, whoever sends it: the driver says when each begins and ends. Of those that
/// were slow it keeps the text without values; parameters it never sees.
/// </summary>
internal sealed class QueryLog : IHostedService, IDisposable
{
    private const int MaximumKept = 200;
    private const string TextTag = "db.query.text";
    private const string SourceTag = "db.npgsql.data_source";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Slow> _slow = new(StringComparer.Ordinal);
    private readonly TimeSpan _threshold;
    private readonly TimeProvider _clock;
    private readonly ActivityListener _listener;
    private long _count;
    private long _ticks;
    private long _failed;
    private long _slowCount;

    public QueryLog(IOptions<PerformanceOptions> options, TimeProvider clock)
    {
        (_threshold, _clock) = (options.Value.SlowQuery, clock);
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = Ended,
        };
    }

    public QueryPerformance Totals => Interlocked.Read(ref _count) is var count && count == 0
        ? new QueryPerformance(null, 0, 0, 0)
        : new QueryPerformance(
            Math.Round(TimeSpan.FromTicks(Interlocked.Read(ref _ticks) / count).TotalMilliseconds, 3), count, Interlocked.Read(ref _failed), Interlocked.Read(ref _slowCount));

    public IReadOnlyList<SlowQuery> SlowQueries()
    {
        lock (_lock)
        {
            return [.. _slow.Select(pair => pair.Value.View(pair.Key)).OrderByDescending(query => query.MaximumMs)];
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        ActivitySource.AddActivityListener(_listener);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _listener.Dispose();

    private void Ended(Activity activity)
    {
        if (activity.GetTagItem(TextTag) is not string text || activity.GetTagItem(SourceTag) is not (Connections.Main or Connections.Reads))
        {
            return;
        }

        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _ticks, activity.Duration.Ticks);
        if (activity.Status == ActivityStatusCode.Error)
        {
            Interlocked.Increment(ref _failed);
        }

        if (activity.Duration >= _threshold)
        {
            Interlocked.Increment(ref _slowCount);
            Keep(StatementText.Normalise(text), activity);
        }
    }

    private void Keep(string text, Activity activity)
    {
        lock (_lock)
        {
            if (!_slow.TryGetValue(text, out var slow))
            {
                if (_slow.Count == MaximumKept)
                {
                    _slow.Remove(_slow.MinBy(pair => pair.Value.LastAt).Key);
                }

                _slow.Add(text, slow = new Slow());
            }

            slow.Add(activity, _clock.GetUtcNow());
        }
    }

    private sealed class Slow
    {
        private long _count;
        private TimeSpan _total;
        private TimeSpan _longest;
        private string? _traceId;

        public DateTimeOffset LastAt { get; private set; }

        public void Add(Activity activity, DateTimeOffset now)
        {
            _count++;
            _total += activity.Duration;
            _longest = activity.Duration > _longest ? activity.Duration : _longest;
            (_traceId, LastAt) = (activity.TraceId.ToHexString(), now);
        }

        public SlowQuery View(string text) =>
            new(text, _count, Math.Round((_total / _count).TotalMilliseconds, 3), Math.Round(_longest.TotalMilliseconds, 3), LastAt, _traceId);
    }
}
