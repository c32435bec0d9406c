using System.Buffers.Binary;
using Microsoft.Extensions.Hosting;
using Vtp.Application.Realtime;

namespace Vtp.Infrastructure.Realtime;

/// <summary>
/// Each node says who came to it and who left, numbers that, and says every few seconds how far it has counted. Who has
/// counted otherwise asks for all of it; who has not been heard for half a minute is dead, and its members are gone.
/// </summary>
internal sealed class Presence : BackgroundService, IPresence
{
    private const string Entered = "enter";
    private const string Left = "leave";
    private const string Alive = "alive";
    private const string Ask = "ask";
    private const string Begins = "begins";
    private const string Has = "has";
    private const string Ends = "ends";
    private const string Gone = "gone";

    private static readonly TimeSpan SaySo = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(30);

    private readonly TopicHub _hub;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Dictionary<string, PresentMember>> _topics = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OtherNode> _others = new(StringComparer.Ordinal);
    private long _version;

    public Presence(TopicHub hub, TimeProvider clock)
    {
        (_hub, _clock) = (hub, clock);
        hub.PresenceHeard = Hear;
    }

    public event EventHandler<PresenceChangedEventArgs>? Changed;

    public void Enter(string topic, string member, ReadOnlyMemory<byte> data)
    {
        lock (_lock)
        {
            Add(topic, new PresentMember(member, _hub.Node, data));
            _version++;
            Say(Entered, topic, member, data);
        }
    }

    public void Leave(string topic, string member)
    {
        lock (_lock)
        {
            if (Remove(topic, member, _hub.Node))
            {
                _version++;
                Say(Left, topic, member);
            }
        }
    }

    public int Count(string topic)
    {
        lock (_lock)
        {
            return _topics.TryGetValue(topic, out var members) ? members.Count : 0;
        }
    }

    public IReadOnlyList<PresentMember> List(string topic)
    {
        lock (_lock)
        {
            return _topics.TryGetValue(topic, out var members) ? [.. members.Values] : [];
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        Say(Gone);
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(SaySo, _clock);
        do
        {
            lock (_lock)
            {
                Say(Alive);
                foreach (var (node, _) in _others.Where(other => _clock.GetElapsedTime(other.Value.HeardAt) > DeadAfter).ToList())
                {
                    Bury(node);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private void Hear(Envelope envelope)
    {
        var said = envelope.Publication;
        var version = said.Attachments is [{ Length: sizeof(long) } number] ? BinaryPrimitives.ReadInt64LittleEndian(number.Span) : 0;
        lock (_lock)
        {
            if (!_others.TryGetValue(envelope.Node, out var other))
            {
                _others.Add(envelope.Node, other = new OtherNode());
            }

            other.HeardAt = _clock.GetTimestamp();
            switch (said.Name)
            {
                case Entered or Left when version == other.Version + 1:
                    other.Version = version;
                    if (said.Name == Entered)
                    {
                        Add(said.Topic, new PresentMember(said.Except!, envelope.Node, said.Data));
                    }
                    else
                    {
                        Remove(said.Topic, said.Except!, envelope.Node);
                    }

                    break;
                case Entered or Left or Alive when version != other.Version:
                    Say(Ask, member: envelope.Node);
                    break;
                case Ask when said.Except == _hub.Node:
                    SayAll();
                    break;
                case Begins:
                    other.Unconfirmed = [.. Of(envelope.Node).Select(found => (found.Topic, found.Member.Id))];
                    break;
                case Has:
                    other.Unconfirmed.Remove((said.Topic, said.Except!));
                    Add(said.Topic, new PresentMember(said.Except!, envelope.Node, said.Data));
                    break;
                case Ends:
                    foreach (var (topic, member) in other.Unconfirmed)
                    {
                        Remove(topic, member, envelope.Node);
                    }

                    (other.Version, other.Unconfirmed) = (version, []);
                    break;
                case Gone:
                    Bury(envelope.Node);
                    break;
            }
        }
    }

    private void SayAll()
    {
        Say(Begins);
        foreach (var (topic, member) in Of(_hub.Node))
        {
            Say(Has, topic, member.Id, member.Data);
        }

        Say(Ends);
    }

    private List<(string Topic, PresentMember Member)> Of(string node) =>
        [.. _topics.SelectMany(topic => topic.Value.Values.Where(member => member.Node == node).Select(member => (topic.Key, member)))];

    private void Bury(string node)
    {
        _others.Remove(node);
        foreach (var (topic, member) in Of(node))
        {
            Remove(topic, member.Id, node);
        }
    }

    private void Add(string topic, PresentMember member)
    {
        if (!_topics.TryGetValue(topic, out var members))
        {
            _topics.Add(topic, members = new(StringComparer.Ordinal));
        }

        var isNew = !members.ContainsKey(member.Id);
        members[member.Id] = member;
        if (isNew)
        {
            Changed?.Invoke(this, new PresenceChangedEventArgs(topic, member, hasEntered: true));
        }
    }

    /// <summary>Only from the node that had it last: a connection that came back elsewhere is there.</summary>
    private bool Remove(string topic, string id, string node)
    {
        if (!_topics.TryGetValue(topic, out var members) || !members.TryGetValue(id, out var member) || member.Node != node)
        {
            return false;
        }

        members.Remove(id);
        if (members.Count == 0)
        {
            _topics.Remove(topic);
        }

        Changed?.Invoke(this, new PresenceChangedEventArgs(topic, member, hasEntered: false));
        return true;
    }

    private void Say(string what, string topic = "", string? member = null, ReadOnlyMemory<byte> data = default)
    {
        var version = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(version, _version);
        _hub.Pass(new Publication(topic, what, data) { Except = member, Attachments = [version] }, EnvelopeKind.Presence);
    }

    private sealed class OtherNode
    {
        public long HeardAt { get; set; }

        public long Version { get; set; }

        public HashSet<(string Topic, string Member)> Unconfirmed { get; set; } = [];
    }
}
