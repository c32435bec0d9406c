using Vtp.Application.Realtime;

namespace Vtp.Infrastructure.Realtime;

internal sealed class TopicSession(TopicStore store, EventReader events, ITopicFollower follower) : ITopicSession
{
    /// <summary>More than this is read with GET /events.</summary>
    public const int MaximumMissed = 1000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Joins of one follower come one after the other: each has its number, and is told what it missed in one piece.
    private readonly SemaphoreSlim _joining = new(1, 1);
    private readonly List<Subscription> _subscriptions = [];
    private int _joins;
    private long _lastEvent;
    private bool _isOver;

    public ITopicFollower Follower { get; } = follower;

    public IReadOnlyList<JoinedTopic> Topics
    {
        get
        {
            lock (store.Lock)
            {
                return [.. _subscriptions.Select(subscription => subscription.Joined)];
            }
        }
    }

    public async ValueTask<bool> JoinAsync(TopicInterest interest, LogPosition? since, CancellationToken cancellationToken)
    {
        await store.FollowedAsync(interest.Topic, cancellationToken).WaitAsync(Patience, cancellationToken);
        await _joining.WaitAsync(cancellationToken);
        try
        {
            _joins++;
            var (missed, after) = (new List<TopicMessage>(), since);
            while (true)
            {
                LogPosition head;
                lock (store.Lock)
                {
                    var topic = store.TopicOf(interest.Topic);
                    head = topic.Position;
                    var isKept = after is null || topic.IsKeptBehind(after.Value);
                    if (isKept || after!.Value.Epoch != head.Epoch || after.Value.Offset > head.Offset || !TopicNames.IsOfEvents(interest.Topic))
                    {
                        Attach(topic, interest, isKept ? since ?? head : head, missed, isKept ? after : null);
                        return isKept;
                    }
                }

                if (await events.ReadAsync([interest.Topic], after.Value.Offset, head.Offset, MaximumMissed + 1, cancellationToken) is not { } read || missed.Count + read.Count > MaximumMissed)
                {
                    lock (store.Lock)
                    {
                        var topic = store.TopicOf(interest.Topic);
                        Attach(topic, interest, topic.Position, [], after: null);
                        return false;
                    }
                }

                missed.AddRange(read);
                after = head;
            }
        }
        finally
        {
            _joining.Release();
        }
    }

    public void Leave(string topic)
    {
        lock (store.Lock)
        {
            Remove(topic);
        }
    }

    public async ValueTask<bool> ResumeAsync(IReadOnlyList<JoinedTopic> topics, CancellationToken cancellationToken)
    {
        foreach (var joined in topics)
        {
            await store.FollowedAsync(joined.Interest.Topic, cancellationToken).WaitAsync(Patience, cancellationToken);
        }

        await _joining.WaitAsync(cancellationToken);
        try
        {
            JoinedTopic[] ofEvents = [.. topics.Where(joined => TopicNames.IsOfEvents(joined.Interest.Topic))];
            var (missed, readUpTo) = (new List<TopicMessage>(), 0L);
            while (true)
            {
                long head;
                lock (store.Lock)
                {
                    var subscriptions = topics.Select(joined => new Subscription(this, store.TopicOf(joined.Interest.Topic), joined)).ToList();
                    if (subscriptions.Exists(one => one.Joined.Since.Epoch != one.Topic.Log.Epoch || one.Joined.Since.Offset > one.Topic.Log.Head))
                    {
                        return false;
                    }

                    var forgotten = subscriptions.FindAll(one => !one.Topic.IsKeptBehind(Place(one)));
                    if (forgotten.Count == 0)
                    {
                        Attach(subscriptions, missed, Place);
                        return true;
                    }

                    if (forgotten.Exists(one => !TopicNames.IsOfEvents(one.Topic.Name)))
                    {
                        return false;
                    }

                    head = forgotten[0].Topic.Log.Head;
                }

                // All topics of events at once, from where the one stands that is furthest back.
                var from = Math.Max(readUpTo, ofEvents.Min(joined => joined.Since.Offset));
                var read = await events.ReadAsync([.. ofEvents.Select(joined => joined.Interest.Topic)], from, head, MaximumMissed + 1, cancellationToken);
                if (read is null || missed.Count + read.Count > MaximumMissed)
                {
                    return false;
                }

                missed.AddRange(read);
                readUpTo = head;
            }

            // What has been read of the log of events is read for all its topics.
            LogPosition Place(Subscription one) => TopicNames.IsOfEvents(one.Topic.Name)
                ? one.Joined.Since with { Offset = Math.Max(one.Joined.Since.Offset, readUpTo) }
                : one.Joined.Since;
        }
        finally
        {
            _joining.Release();
        }
    }

    /// <summary>Within the store's lock.</summary>
    /// <returns>Whether it was told.</returns>
    public bool Deliver(Subscription subscription, TopicMessage message, bool isOfEvents)
    {
        var publication = message.Publication;
        if ((isOfEvents && message.Offset <= _lastEvent)
            || (publication.Except is { } except && except == Follower.Id)
            || !subscription.Wants(publication.Name))
        {
            return false;
        }

        if (isOfEvents)
        {
            _lastEvent = message.Offset;
        }

        Follower.Deliver(message, message.Mark);
        return true;
    }

    public void Dispose()
    {
        lock (store.Lock)
        {
            _isOver = true;
            foreach (var subscription in _subscriptions)
            {
                subscription.Detach();
            }

            _subscriptions.Clear();
        }
    }

    /// <summary>Within the store's lock. What was missed is told in one piece: what is new comes behind it.</summary>
    private void Attach(Topic topic, TopicInterest interest, LogPosition since, List<TopicMessage> read, LogPosition? after)
    {
        if (_isOver)
        {
            return;
        }

        Remove(topic.Name);
        var subscription = new Subscription(this, topic, new JoinedTopic(interest, _joins, since, topic.Position));
        var now = store.MarkNow();
        var kept = after is { } place ? topic.Kept.Where(message => message.Offset > place.Offset) : [];
        foreach (var message in read.Concat(kept))
        {
            if (subscription.Wants(message.Publication.Name) && message.Publication.Except != Follower.Id)
            {
                Follower.Deliver(message, now with { Join = _joins, Caught = message.Offset });
            }
        }

        _subscriptions.Add(subscription);
        subscription.Attach();
    }

    /// <summary>Within the store's lock.</summary>
    private void Attach(List<Subscription> subscriptions, List<TopicMessage> read, Func<Subscription, LogPosition> place)
    {
        if (_isOver)
        {
            return;
        }

        _joins = subscriptions.Select(one => one.Joined.Join).DefaultIfEmpty().Max();
        var found = new SortedDictionary<(bool IsOfMessages, long Offset), TopicMessage>();
        foreach (var one in subscriptions)
        {
            var isOfMessages = !TopicNames.IsOfEvents(one.Topic.Name);
            var fromLog = isOfMessages ? [] : read.Where(message => message.Offset > one.Joined.Since.Offset && message.Publication.IsIn(one.Topic.Name));
            foreach (var message in fromLog.Concat(one.Topic.Kept.Where(message => message.Offset > place(one).Offset)))
            {
                if (one.Wants(message.Publication.Name) && message.Publication.Except != Follower.Id)
                {
                    found[(isOfMessages, message.Offset)] = message;
                }
            }

            _subscriptions.Add(one);
            one.Attach();
        }

        // First the events, then the messages; who is interrupted in the midst of it goes on exactly there.
        var now = store.MarkNow();
        foreach (var ((isOfMessages, offset), message) in found)
        {
            Follower.Deliver(message, isOfMessages
                ? new Mark(now.Events, now.Messages with { Offset = offset })
                : new Mark(now.Events with { Offset = offset }, now.Messages with { Offset = 0 }));
        }

        _lastEvent = now.Events.Offset;
    }

    private void Remove(string topic)
    {
        if (_subscriptions.Find(one => one.Topic.Name == topic) is { } subscription)
        {
            subscription.Detach();
            _subscriptions.Remove(subscription);
        }
    }
}
