using System.Security.Cryptography;
using System.Threading.Channels;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Realtime;

namespace Vtp.Api.Realtime.Dashboard;

/// <summary>One stream: a bounded queue of frames, and the answer that they go out by.</summary>
internal sealed class DashboardStream : ITopicFollower, IDisposable
{
    private readonly ITopics _hub;
    private readonly ITopicSession _topics;
    private readonly RealtimeOptions _options;
    private readonly TimeProvider _clock;
    private readonly Channel<byte[]> _frames = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stalled = new();
    private readonly Lock _lock = new();
    private StreamPlace? _place;
    private List<byte[]>? _held = [];
    private long _queued;
    private long _allowed;

    public DashboardStream(ITopics topics, RealtimeOptions options, TimeProvider clock, DashboardSeat seat, Connected caller, StreamPlace? last, DashboardFilter filter)
    {
        (_hub, _options, _clock, Seat, Caller, Filter, _place) = (topics, options, clock, seat, caller, filter, last);
        var now = clock.GetUtcNow();
        Id = last?.ClientId ?? $"{StreamPlace.ClientIdPrefix}{now.ToUnixTimeMilliseconds()}_{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        Watcher = new DashboardWatcher(Id, DashboardWatcher.Sse, caller.Person!.AccountId.Value, seat.Scope.Id, seat.Role, now);
        BeatenAt = PingedAt = clock.GetTimestamp();
        _topics = topics.Open(this);
    }

    public string Id { get; }

    public DashboardSeat Seat { get; }

    public Connected Caller { get; }

    public DashboardWatcher Watcher { get; }

    public DashboardFilter Filter { get; private set; }

    public long BeatenAt { get; private set; }

    public long PingedAt { get; private set; }

    /// <summary>Its right to watch is to be asked for anew.</summary>
    public bool IsInDoubt { get; set; }

    public bool IsClosed { get; private set; }

    /// <summary>Goes on where the client was, or begins anew.</summary>
    /// <returns>Whether nothing was missed.</returns>
    public async Task<bool> FollowAsync(CancellationToken cancellationToken)
    {
        var interests = DashboardStreams.Interests(Seat.Scope, [.. Seat.Streams], filter: null);
        if (_place is { Mark: var mark })
        {
            var nowhere = new LogPosition(LogPosition.Unknown, 0);
            JoinedTopic[] topics = [.. interests.Select((interest, index) => new JoinedTopic(interest, index + 1, nowhere, nowhere).From(mark))];
            if (await _topics.ResumeAsync(topics, cancellationToken))
            {
                return true;
            }

            _place = null;
        }

        foreach (var interest in interests)
        {
            await _topics.JoinAsync(interest, since: null, cancellationToken);
        }

        return false;
    }

    /// <summary>These first, then what was told meanwhile.</summary>
    /// <param name="connected">Of how far it has come; null where what was told meanwhile says so itself.</param>
    /// <param name="initial">Made before, because whoever tells a stream something holds the lock of all topics.</param>
    public void Begin(Func<string?, byte[]> connected, IEnumerable<byte[]> initial)
    {
        var (now, first) = (_hub.Now, initial.ToList());
        lock (_lock)
        {
            var held = _held!;
            _held = null;
            _place ??= new StreamPlace(now, Id);
            Offer(DashboardFrames.Retry(RandomNumberGenerator.GetInt32(1_000, 4_000)));
            Offer(connected(held.Count == 0 ? _place.ToString() : null));

            // What it is behind is not held against it.
            _allowed = first.Concat(held).Sum(frame => (long)frame.Length);
            foreach (var frame in first.Concat(held))
            {
                Offer(frame);
            }
        }
    }

    public void Deliver(TopicMessage message, Mark? mark)
    {
        var notice = DashboardFrames.NoticeOf(message);
        lock (_lock)
        {
            if (mark is not null)
            {
                _place = _place is null ? new StreamPlace(mark, Id) : _place.To(mark);
            }

            if (Filter.Admits(notice))
            {
                Offer(DashboardFrames.OfJson(notice.Event, notice.Data.Span, _place?.ToString()));
            }
        }
    }

    /// <summary>A log began anew: there is nothing to go on from, and what it shows must be read again.</summary>
    public void Missed(string topic) => Offer(DashboardFrames.Of("missed", new { topic = topic == Seat.Scope.Topic ? DashboardStreams.Dashboard : DashboardStreams.Alerts }));

    public Refusal? Narrow(System.Text.Json.JsonElement filters)
    {
        lock (_lock)
        {
            if (Filter.With(filters).TryGet(out var filter, out var refusal))
            {
                Filter = filter;
            }

            return refusal;
        }
    }

    /// <summary>A comment keeps the way open; <c>ping</c> says also how far the stream has come, though nothing was told.</summary>
    public void Beat(long now, TimeSpan beatEvery, TimeSpan pingEvery)
    {
        lock (_lock)
        {
            if (_clock.GetElapsedTime(PingedAt, now) >= pingEvery)
            {
                (PingedAt, BeatenAt) = (now, now);
                Offer(DashboardFrames.Of("ping", new { timestamp = _clock.GetUtcNow() }, _place?.ToString()));
            }
            else if (_clock.GetElapsedTime(BeatenAt, now) >= beatEvery)
            {
                BeatenAt = now;
                Offer(DashboardFrames.Heartbeat);
            }
        }
    }

    public void Close(string name, object data)
    {
        lock (_lock)
        {
            if (!IsClosed)
            {
                Offer(DashboardFrames.Of(name, data));
                End();
            }
        }
    }

    public void Close(Refusal why) => Close("error", new { error = why.Code, message = why.Detail });

    /// <summary>Writes until it is closed, or the client has gone, or takes nothing.</summary>
    /// <returns>False when it took nothing: it is to be cut.</returns>
    public async Task<bool> WriteAsync(Stream body, CancellationToken gone)
    {
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(gone, _stalled.Token);
            while (await _frames.Reader.WaitToReadAsync(stop.Token))
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
                patience.CancelAfter(_options.StallTimeout);
                while (_frames.Reader.TryRead(out var frame))
                {
                    await body.WriteAsync(frame, patience.Token);
                    Interlocked.Add(ref _queued, -frame.Length);
                }

                await body.FlushAsync(patience.Token);
            }

            return true;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            return false;
        }
        finally
        {
            lock (_lock)
            {
                End();
            }
        }
    }

    public void Dispose()
    {
        _topics.Dispose();
        _stalled.Dispose();
    }

    private void Offer(byte[] frame)
    {
        lock (_lock)
        {
            if (IsClosed)
            {
                return;
            }

            if (_held is { } held)
            {
                held.Add(frame);
                return;
            }

            if (Interlocked.Add(ref _queued, frame.Length) > _options.MaximumQueuedBytes + _allowed)
            {
                End();
                _ = _stalled.CancelAsync(); // Elsewhere: a lock is held here.
                return;
            }

            _frames.Writer.TryWrite(frame);
        }
    }

    private void End()
    {
        IsClosed = true;
        _frames.Writer.TryComplete();
    }
}
