using Vtp.Application.Realtime;

namespace Vtp.Infrastructure.Realtime;

/// <summary>
/// The topics as this node knows them: who follows, and the messages of the last minutes. Both logs are applied here under
/// one lock, so that every follower is told in the order of the logs and one <see cref="Mark"/> holds for all topics.
/// </summary>
internal sealed class TopicStore(RealtimeOptions options, TimeProvider clock, RealtimeMetrics metrics) : IEventWatch
{
    // A topic that is asked for again within this time is known not to have changed; what is forgotten is a gap.
    private static readonly TimeSpan RememberedFor = TimeSpan.FromHours(1);

    private readonly Dictionary<string, Topic> _topics = new(StringComparer.Ordinal);
    private readonly Queue<(Topic Topic, TopicMessage Message)> _byAge = new();
    private readonly FollowedLog _events = new();
    private readonly FollowedLog _messages = new();
    private readonly TaskCompletionSource _eventsAreWanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _eventsAreFollowed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _messagesAreFollowed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _keptBytes;

    public event EventHandler<EventSeenEventArgs>? Seen;

    /// <summary>Guards everything that is told.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Ends when somebody follows a topic of events; until then their log need not be read.</summary>
    public Task EventsAreWanted => _eventsAreWanted.Task;

    public int Topics
    {
        get
        {
            lock (Lock)
            {
                return _topics.Count;
            }
        }
    }

    public FollowedLog LogOf(string topic) => TopicNames.IsOfEvents(topic) ? _events : _messages;

    /// <summary>Ends when the log of this topic is followed.</summary>
    public Task FollowedAsync(string topic, CancellationToken cancellationToken)
    {
        if (!TopicNames.IsOfEvents(topic))
        {
            return _messagesAreFollowed.Task.WaitAsync(cancellationToken);
        }

        _eventsAreWanted.TrySetResult();
        return _eventsAreFollowed.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Where a log stands when it begins to be followed, or begins anew: nothing before that is here.</summary>
    public void Begin(bool isOfEvents, string epoch, long offset)
    {
        lock (Lock)
        {
            var log = isOfEvents ? _events : _messages;
            var isNew = log.Epoch == LogPosition.Unknown;
            (log.Epoch, log.Head, log.Floor) = (epoch, offset, offset);
            foreach (var topic in _topics.Values.Where(topic => topic.Log == log))
            {
                foreach (var message in topic.Kept)
                {
                    _keptBytes -= message.Size;
                }

                topic.Kept.Clear();
                topic.Evicted = offset;
                for (var index = 0; !isNew && index < topic.Followers.Count; index++)
                {
                    topic.Followers[index].Session.Follower.Missed(topic.Name);
                }
            }

            if (!isNew)
            {
                metrics.Gap();
            }
        }
    }

    /// <summary>What is kept of it has been applied: whoever asks now is told the truth.</summary>
    public void Followed(bool isOfEvents) => (isOfEvents ? _eventsAreFollowed : _messagesAreFollowed).TrySetResult();

    /// <summary>The next message of a log.</summary>
    /// <param name="isOfEvents">Of which.</param>
    /// <param name="offset">One more than the one before.</param>
    /// <param name="publication">Null where there is nothing to tell: its sender has told it already, or it came twice.</param>
    /// <param name="mayBeAgain">It may have come before.</param>
    public void Apply(bool isOfEvents, long offset, Publication? publication, bool mayBeAgain = false)
    {
        lock (Lock)
        {
            var log = isOfEvents ? _events : _messages;
            log.Head = offset;
            if (publication is null)
            {
                return;
            }

            var topic = TopicOf(publication.Topic);
            if (mayBeAgain && topic.Kept.Any(kept => kept.Publication.Id == publication.Id))
            {
                return;
            }

            var message = new TopicMessage(publication, offset, MarkNow(), clock.GetUtcNow());
            Keep(topic, message);
            Deliver(topic, message);
            if (publication.AlsoIn is { } alsoIn)
            {
                var other = TopicOf(alsoIn);
                Keep(other, message);
                Deliver(other, message);
            }

            Forget();
        }

        if (isOfEvents && TopicNames.OrganizationOf(publication.Topic) is { } organization)
        {
            Seen?.Invoke(this, new EventSeenEventArgs(publication.Name, organization));
        }
    }

    /// <summary>What is not kept.</summary>
    public void Tell(Publication publication)
    {
        lock (Lock)
        {
            if (_topics.TryGetValue(publication.Topic, out var topic))
            {
                Deliver(topic, new TopicMessage(publication, offset: 0, mark: null, clock.GetUtcNow()));
            }
        }
    }

    /// <summary>What is kept of a topic, newest first.</summary>
    public IReadOnlyList<TopicMessage> Recent(string topic, string name, int limit)
    {
        lock (Lock)
        {
            return _topics.TryGetValue(topic, out var known)
                ? [.. known.Kept.Reverse().Where(message => message.Publication.Name == name).Take(limit)]
                : [];
        }
    }

    /// <summary>Within <see cref="Lock"/>.</summary>
    public Mark MarkNow() => new(new(_events.Epoch, _events.Head), new(_messages.Epoch, _messages.Head));

    /// <summary>Within <see cref="Lock"/>.</summary>
    public Topic TopicOf(string name)
    {
        if (!_topics.TryGetValue(name, out var topic))
        {
            var log = LogOf(name);
            topic = new Topic(name, log) { Evicted = log.Floor };
            _topics.Add(name, topic);
        }

        return topic;
    }

    /// <summary>Each second: what is too old goes.</summary>
    public void Sweep()
    {
        lock (Lock)
        {
            Forget();
            var now = clock.GetTimestamp();
            List<Topic>? idle = null;
            foreach (var topic in _topics.Values)
            {
                if (topic.Kept.Count > 0 || topic.Followers.Count > 0)
                {
                    topic.IdleSince = 0;
                }
                else if (topic.IdleSince == 0)
                {
                    topic.IdleSince = now;
                }
                else if (_topics.Count > options.MaximumTopics || clock.GetElapsedTime(topic.IdleSince, now) > RememberedFor)
                {
                    (idle ??= []).Add(topic);
                }
            }

            foreach (var topic in idle ?? [])
            {
                _topics.Remove(topic.Name);
                topic.Log.Floor = Math.Max(topic.Log.Floor, topic.Evicted);
            }
        }
    }

    private void Keep(Topic topic, TopicMessage message)
    {
        topic.Kept.Enqueue(message);
        _byAge.Enqueue((topic, message));
        _keptBytes += message.Size;
        if (topic.Kept.Count > options.HistoryMessages)
        {
            Evict(topic);
        }
    }

    private void Forget()
    {
        var before = clock.GetUtcNow() - options.HistoryFor;
        while (_byAge.TryPeek(out var oldest))
        {
            var isKept = oldest.Topic.Kept.TryPeek(out var first) && ReferenceEquals(first, oldest.Message);
            if (isKept && oldest.Message.At >= before && _keptBytes <= options.HistoryBytes)
            {
                break;
            }

            _byAge.Dequeue();
            if (isKept)
            {
                Evict(oldest.Topic);
            }
        }
    }

    private void Evict(Topic topic)
    {
        var message = topic.Kept.Dequeue();
        _keptBytes -= message.Size;
        topic.Evicted = message.Offset;
    }

    private void Deliver(Topic topic, TopicMessage message)
    {
        var isOfEvents = topic.Log == _events;
        var followers = topic.Followers;
        var told = 0;
        for (var index = 0; index < followers.Count; index++)
        {
            told += followers[index].Session.Deliver(followers[index], message, isOfEvents) ? 1 : 0;
        }

        metrics.Delivered(told);
    }
}

/// <summary>One of the two logs, as far as this node has applied it.</summary>
internal sealed class FollowedLog
{
    public string Epoch { get; set; } = LogPosition.Unknown;

    public long Head { get; set; }

    /// <summary>Of a topic that is not known here, what came behind this would be.</summary>
    public long Floor { get; set; }
}

internal sealed class Topic(string name, FollowedLog log)
{
    public string Name { get; } = name;

    public FollowedLog Log { get; } = log;

    public List<Subscription> Followers { get; } = [];

    public Queue<TopicMessage> Kept { get; } = new();

    /// <summary>The last offset that is not kept here any more; what came behind it is in <see cref="Kept"/>.</summary>
    public long Evicted { get; set; }

    public long IdleSince { get; set; }

    public LogPosition Position => new(Log.Epoch, Log.Head);

    /// <summary>Whether all that came behind it is here.</summary>
    public bool IsKeptBehind(LogPosition place) =>
        place.Epoch == Log.Epoch && place.Offset <= Log.Head && (place.Offset >= Evicted || place.Offset == Log.Head);
}

internal sealed class Subscription(TopicSession session, Topic topic, JoinedTopic joined)
{
    private int _index = -1;

    public TopicSession Session { get; } = session;

    public Topic Topic { get; } = topic;

    public JoinedTopic Joined { get; } = joined;

    public void Attach()
    {
        _index = Topic.Followers.Count;
        Topic.Followers.Add(this);
    }

    /// <summary>The last one takes its place.</summary>
    public void Detach()
    {
        if (_index < 0)
        {
            return;
        }

        var last = Topic.Followers[^1];
        Topic.Followers[_index] = last;
        last._index = _index;
        Topic.Followers.RemoveAt(Topic.Followers.Count - 1);
        _index = -1;
    }

    public bool Wants(string name)
    {
        if (Joined.Interest.Names is not { } names)
        {
            return true;
        }

        for (var index = 0; index < names.Count; index++)
        {
            if (Domain.Events.EventCatalogue.Matches(names[index], name))
            {
                return true;
            }
        }

        return false;
    }
}
