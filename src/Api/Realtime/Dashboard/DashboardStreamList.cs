using System.Collections.Concurrent;
using System.Text.Json;
using MediatR;
using Vtp.Api.Http;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Realtime;

namespace Vtp.Api.Realtime.Dashboard;

/// <summary>The streams of this node: keeps them alive, and ends those whose right has gone.</summary>
internal sealed partial class DashboardStreamList : BackgroundService, ITopicFollower
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(30);

    // In case nobody told of the change.
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(25);

    private readonly ITopics _topics;
    private readonly IDashboardAudience _audience;
    private readonly IConnectionCredentials _credentials;
    private readonly IEventWatch _watch;
    private readonly IServiceScopeFactory _scopes;
    private readonly RealtimeMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<DashboardStreamList> _logger;
    private readonly ConcurrentDictionary<string, DashboardStream> _streams = new(StringComparer.Ordinal);

    public DashboardStreamList(
        ITopics topics, IDashboardAudience audience, IConnectionCredentials credentials, IEventWatch watch, IServiceScopeFactory scopes, RealtimeMetrics metrics, TimeProvider clock,
        IHostApplicationLifetime lifetime, ILogger<DashboardStreamList> logger)
    {
        (_topics, _audience, _credentials, _watch, _scopes, _metrics, _clock, _logger) = (topics, audience, credentials, watch, scopes, metrics, clock, logger);
        watch.Seen += OnSeen;
        lifetime.ApplicationStopping.Register(Stop);
    }

    string ITopicFollower.Id => "dashboard-streams";

    /// <returns>False: the account has as many as it may, on all nodes together.</returns>
    public bool TryAdd(DashboardStream stream)
    {
        if (_streams.TryGetValue(stream.Id, out var before) && before.Watcher.Account != stream.Watcher.Account)
        {
            return false;
        }

        if (!_audience.TryEnter(stream.Watcher))
        {
            return false;
        }

        // The client has come back before anybody noticed that it was gone.
        before?.Close("server_shutdown", new { message = "Another connection has taken over." });
        _streams[stream.Id] = stream;
        _metrics.Opened(DashboardWatcher.Sse);
        return true;
    }

    public void Remove(DashboardStream stream)
    {
        _metrics.Left(DashboardWatcher.Sse);
        _streams.TryRemove(KeyValuePair.Create(stream.Id, stream));
        _audience.Leave(stream.Watcher);
    }

    /// <summary>What a client asked of a stream, by way of any node.</summary>
    void ITopicFollower.Deliver(TopicMessage message, Mark? mark)
    {
        if (JsonSerializer.Deserialize<StreamFilters>(message.Publication.Data.Span, DashboardMessages.Json) is { } asked
            && _streams.TryGetValue(asked.ClientId, out var stream) && stream.Watcher.Account == asked.Account)
        {
            stream.Narrow(asked.Filters);
        }
    }

    void ITopicFollower.Missed(string topic)
    {
        // What is said there is not kept anyway.
    }

    public override void Dispose()
    {
        _watch.Seen -= OnSeen;
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var control = _topics.Open(this);
        var isControlled = false;
        var askedAt = _clock.GetTimestamp();
        using var timer = new PeriodicTimer(LookEvery, _clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                isControlled = isControlled || await control.JoinAsync(new TopicInterest(DashboardMessages.ControlTopic), since: null, stoppingToken);
                var now = _clock.GetTimestamp();
                var asksAll = _clock.GetElapsedTime(askedAt, now) >= AskEvery;
                askedAt = asksAll ? now : askedAt;
                foreach (var stream in _streams.Values)
                {
                    stream.Beat(now, BeatEvery, PingEvery);
                    await LookAsync(stream, asksAll, stoppingToken);
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    private async Task LookAsync(DashboardStream stream, bool asks, CancellationToken cancellationToken)
    {
        if (!await _credentials.IsGoodAsync(stream.Caller, cancellationToken))
        {
            stream.Close(Refusal.Unauthenticated);
        }
        else if (!_audience.MayStay(stream.Watcher))
        {
            stream.Close(DashboardRefusals.TooManyStreams);
        }
        else if (asks || stream.IsInDoubt)
        {
            stream.IsInDoubt = false;
            if (!await MayWatchAsync(_scopes, stream.Caller, stream.Seat.Scope, cancellationToken))
            {
                stream.Close(Refusal.Forbidden);
            }
        }
    }

    /// <summary>By the use case that let it in.</summary>
    internal static async Task<bool> MayWatchAsync(IServiceScopeFactory scopes, Connected caller, DashboardScope watched, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<HttpCaller>().Identify(caller, address: null, userAgent: null);
        var asked = new OpenDashboardQuery(watched.Organization?.Value);
        return (await scope.ServiceProvider.GetRequiredService<IMediator>().Send(asked, cancellationToken)).TryGet(out var seat, out _) && seat.Scope == watched;
    }

    private void Stop()
    {
        foreach (var stream in _streams.Values)
        {
            stream.Close("server_shutdown", new { message = "The server stops. Come back to another one." });
        }
    }

    private void OnSeen(object? sender, EventSeenEventArgs seen)
    {
        if (seen.Type.StartsWith("member.", StringComparison.Ordinal) || seen.Type.StartsWith("organization.", StringComparison.Ordinal))
        {
            foreach (var stream in _streams.Values.Where(stream => stream.Seat.Scope.Id == seen.Organization))
            {
                stream.IsInDoubt = true;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Streams of dashboards could not be looked after; trying again in a second")]
    private partial void LogFailed(Exception exception);
}
