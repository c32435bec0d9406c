using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Realtime;

/// <summary>
/// Between the topics of this node and the backplane. What is published waits here for its place in the log, a few
/// milliseconds' messages at once; what other nodes append is applied in its order, and read where it did not arrive.
/// </summary>
internal sealed partial class TopicHub : BackgroundService, ITopics, IBackplaneListener
{
    private const int AppendedAtOnce = 256;
    private const int BytesAtOnce = 1 << 20;
    private const int MaximumWaiting = 10_000;
    private const int ReadAtOnce = 500;

    // What PostgreSQL carries in a notification, as text.
    private const int LargestBesideTheLog = 5_500;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly IBackplane _backplane;
    private readonly TopicStore _store;
    private readonly EventReader _events;
    private readonly RealtimeMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<TopicHub> _logger;
    private readonly Channel<Waiting> _waiting = Channel.CreateBounded<Waiting>(MaximumWaiting);
    private readonly Channel<ReadOnlyMemory<byte>> _passing =
        Channel.CreateBounded<ReadOnlyMemory<byte>>(new BoundedChannelOptions(MaximumWaiting) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Notices.Wakes _wakes = new();
    private readonly Lock _applying = new();
    private LogPosition _head = new(LogPosition.Unknown, 0);
    private Task _saying = Task.CompletedTask;

    public TopicHub(
        IBackplane backplane, TopicStore store, EventReader events, RealtimeMetrics metrics, TimeProvider clock, ILogger<TopicHub> logger)
    {
        (_backplane, _store, _events, _metrics, _clock, _logger) = (backplane, store, events, metrics, clock, logger);
        backplane.Listener = this;
    }

    /// <summary>This one, among all that share the log.</summary>
    public string Node { get; } = Guid.NewGuid().ToString("N")[..12];

    /// <summary>What nodes tell each other of presence.</summary>
    public Action<Envelope>? PresenceHeard { get; set; }

    public async ValueTask<Result<LogPosition>> PublishAsync(Publication publication, CancellationToken cancellationToken)
    {
        if (TopicNames.IsOfEvents(publication.Topic))
        {
            throw new ArgumentException("The log of events alone publishes there.", nameof(publication));
        }

        var waiting = new Waiting(publication.Id == Guid.Empty ? publication with { Id = Uuid.NewVersion7(_clock.GetUtcNow()) } : publication, EnvelopeKind.Kept, _clock.GetTimestamp());
        return _waiting.Writer.TryWrite(waiting) ? await waiting.Done.Task.WaitAsync(cancellationToken) : RealtimeRefusals.Away;
    }

    public void Send(Publication publication)
    {
        _store.Tell(publication);
        Pass(publication, EnvelopeKind.Passing);
    }

    /// <summary>To the other nodes alone.</summary>
    public void Pass(Publication publication, EnvelopeKind kind)
    {
        var message = new Envelope(Node, kind, MayBeAgain: false, publication).Write();
        if (message.Length <= LargestBesideTheLog)
        {
            _passing.Writer.TryWrite(message);
        }
        else
        {
            _waiting.Writer.TryWrite(new Waiting(publication, kind, _clock.GetTimestamp()));
        }
    }

    public ITopicSession Open(ITopicFollower follower) => new TopicSession(_store, _events, follower);

    public LogPosition KeptSince(string topic)
    {
        lock (_store.Lock)
        {
            return _store.TopicOf(topic) is var kept ? new LogPosition(kept.Log.Epoch, kept.Evicted) : default;
        }
    }

    public Mark Now
    {
        get
        {
            lock (_store.Lock)
            {
                return _store.MarkNow();
            }
        }
    }

    public IReadOnlyList<TopicMessage> Recent(string topic, string name, int limit) => _store.Recent(topic, name, limit);

    public async ValueTask<LogPosition> PlaceOfAsync(long position, CancellationToken cancellationToken)
    {
        var topic = TopicNames.OfOrganization(Guid.Empty);
        await _store.FollowedAsync(topic, cancellationToken).WaitAsync(Patience, cancellationToken);
        return new LogPosition(_store.LogOf(topic).Epoch, position);
    }

    public void Appended(LogPosition first, IReadOnlyList<ReadOnlyMemory<byte>> messages)
    {
        lock (_applying)
        {
            if (first.Epoch != _head.Epoch || first.Offset > _head.Offset + 1)
            {
                _wakes.Wake(); // Something before it did not arrive.
                return;
            }

            for (var index = (int)(_head.Offset + 1 - first.Offset); index < messages.Count; index++)
            {
                Apply(first.Offset + index, messages[index]);
            }
        }
    }

    public void Sent(ReadOnlyMemory<byte> message)
    {
        if (Envelope.Read(message) is { } envelope && envelope.Node != Node)
        {
            Hear(envelope);
        }
    }

    public void Wake() => _wakes.Wake();

    /// <summary>What has been said goes out first: that this node stops is a part of it.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _waiting.Writer.TryComplete();
        _passing.Writer.TryComplete();
        await _saying.WaitAsync(LastWords, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _saying = Task.WhenAll(AppendAsync(stoppingToken), PassAsync(stoppingToken));
        return Task.WhenAll(FollowAsync(stoppingToken), _saying);
    }

    private void Apply(long offset, ReadOnlyMemory<byte> message)
    {
        var envelope = Envelope.Read(message);
        _head = _head with { Offset = offset };
        _store.Apply(isOfEvents: false, offset, envelope?.Kind == EnvelopeKind.Kept ? envelope.Publication : null, envelope?.MayBeAgain ?? false);
        if (envelope is not null && envelope.Kind != EnvelopeKind.Kept && envelope.Node != Node)
        {
            Hear(envelope);
        }
    }

    private void Hear(Envelope envelope)
    {
        if (envelope.Kind == EnvelopeKind.Presence)
        {
            PresenceHeard?.Invoke(envelope);
        }
        else
        {
            _store.Tell(envelope.Publication);
        }
    }

    private async Task FollowAsync(CancellationToken stoppingToken)
    {
        await using var timer = _clock.CreateTimer(static wakes => ((Notices.Wakes)wakes!).Wake(), _wakes, Poll, Poll);
        var isLost = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await CatchUpAsync(stoppingToken);
                _store.Followed(isOfEvents: false);
                _store.Sweep();
                isLost = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                if (!isLost)
                {
                    LogLost(exception);
                }

                isLost = true;
            }

            await _wakes.WaitAsync(stoppingToken);
        }
    }

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        var state = await _backplane.LookAsync(Known(), cancellationToken);
        lock (_applying)
        {
            if (state.Epoch != _head.Epoch || _head.Offset < state.Floor)
            {
                _head = new LogPosition(state.Epoch, state.Floor);
                _store.Begin(isOfEvents: false, state.Epoch, state.Floor);
            }
        }

        while (true)
        {
            var after = Known();
            if (after.Epoch != state.Epoch || after.Offset >= state.Head)
            {
                return;
            }

            var kept = await _backplane.ReadAsync(after, ReadAtOnce, cancellationToken);
            if (kept.Count == 0)
            {
                return;
            }

            lock (_applying)
            {
                foreach (var message in kept)
                {
                    if (_head.Epoch == after.Epoch && message.Offset == _head.Offset + 1)
                    {
                        Apply(message.Offset, message.Message);
                    }
                }

                if (_head == after)
                {
                    return; // What comes next went meanwhile; the next look finds that out.
                }
            }
        }
    }

    private LogPosition Known()
    {
        lock (_applying)
        {
            return _head;
        }
    }

    private async Task AppendAsync(CancellationToken stoppingToken)
    {
        var batch = new List<Waiting>();
        while (await _waiting.Reader.WaitToReadAsync(stoppingToken))
        {
            for (var bytes = 0; batch.Count < AppendedAtOnce && bytes < BytesAtOnce && _waiting.Reader.TryRead(out var waiting); batch.Add(waiting))
            {
                bytes += waiting.Publication.Data.Length;
            }

            await AppendAsync(batch, stoppingToken);
            batch.Clear();
        }
    }

    private async Task AppendAsync(List<Waiting> batch, CancellationToken stoppingToken)
    {
        for (var mayBeAgain = false; ; mayBeAgain = true)
        {
            ReadOnlyMemory<byte>[] messages = [.. batch.Select(one => new Envelope(Node, one.Kind, mayBeAgain, one.Publication).Write())];
            try
            {
                var places = await _backplane.AppendAsync(messages, Known(), stoppingToken);
                Appended(places[0], messages);
                for (var index = 0; index < batch.Count; index++)
                {
                    batch[index].Done.TrySetResult(places[index]);
                }

                _metrics.Published(batch.Count, "appended");
                return;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                if (!mayBeAgain)
                {
                    LogNotAppended(exception);
                }

                _metrics.Published(batch.RemoveAll(one => _clock.GetElapsedTime(one.Since) > Patience && one.Done.TrySetResult(RealtimeRefusals.Away)), "refused");
                if (batch.Count == 0)
                {
                    return;
                }

                await Task.Delay(Pause, _clock, stoppingToken);
            }
        }
    }

    private async Task PassAsync(CancellationToken stoppingToken)
    {
        var batch = new List<ReadOnlyMemory<byte>>();
        while (await _passing.Reader.WaitToReadAsync(stoppingToken))
        {
            while (batch.Count < AppendedAtOnce && _passing.Reader.TryRead(out var message))
            {
                batch.Add(message);
            }

            try
            {
                await _backplane.SendAsync(batch, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotPassed(exception);
                await Task.Delay(Pause, _clock, stoppingToken);
            }

            batch.Clear();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages of other nodes cannot be read; trying again each second")]
    private partial void LogLost(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages could not be given to the other nodes; trying again for some seconds")]
    private partial void LogNotAppended(Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "What is not kept did not reach the other nodes")]
    private partial void LogNotPassed(Exception exception);

    private sealed record Waiting(Publication Publication, EnvelopeKind Kind, long Since)
    {
        public TaskCompletionSource<Result<LogPosition>> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
