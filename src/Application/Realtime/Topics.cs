using System.Globalization;
using Vtp.Domain.Common;

namespace Vtp.Application.Realtime;

/// <summary>A place in one log: what has a smaller offset came before. Offsets of another epoch say nothing.</summary>
/// <param name="Epoch">Letters and digits; another one when the log had to begin anew.</param>
/// <param name="Offset">From 1, without gaps within the log.</param>
public readonly record struct LogPosition(string Epoch, long Offset)
{
    /// <summary>The epoch of a log of which a node knows nothing yet.</summary>
    public const string Unknown = "-";

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}:{Offset}");

    public static bool TryParse(ReadOnlySpan<char> text, out LogPosition position)
    {
        position = default;
        var colon = text.IndexOf(':');
        if (colon is < 1 or > 32 || !long.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
        {
            return false;
        }

        position = new LogPosition(text[..colon].ToString(), offset);
        return true;
    }
}

/// <summary>
/// How far a follower has come in both logs: that of events, and that of messages. It holds for all topics at once, because
/// every node tells every follower in the order of the logs.
/// </summary>
/// <param name="Join">Not 0 while what was missed before that join is told: it has come as far as <paramref name="Caught"/> there.</param>
public sealed record Mark(LogPosition Events, LogPosition Messages, int Join = 0, long Caught = 0)
{
    public override string ToString() => Join == 0
        ? $"{Events},{Messages}"
        : string.Create(CultureInfo.InvariantCulture, $"{Events},{Messages}~{Join}.{Caught}");

    /// <returns>Null for what is no mark.</returns>
    public static Mark? Parse(string? text)
    {
        if (text is null || text.IndexOf(',', StringComparison.Ordinal) is not (> 0 and < 64 and var comma))
        {
            return null;
        }

        var rest = text.AsSpan(comma + 1);
        var (join, caught) = (0, 0L);
        if (rest.IndexOf('~') is >= 0 and var tilde)
        {
            var tail = rest[(tilde + 1)..];
            rest = rest[..tilde];
            var dot = tail.IndexOf('.');
            if (dot < 1 || !int.TryParse(tail[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out join)
                || !long.TryParse(tail[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out caught))
            {
                return null;
            }
        }

        return LogPosition.TryParse(text.AsSpan(0, comma), out var events) && LogPosition.TryParse(rest, out var messages)
            ? new Mark(events, messages, join, caught)
            : null;
    }
}

/// <summary>What is to be told to everybody who follows a topic.</summary>
/// <param name="Topic">As in <see cref="TopicNames"/>, or any name of a feature's own.</param>
/// <param name="Name">What it is; followers may ask for some names only.</param>
/// <param name="Data">UTF-8 JSON: one value, or several separated by commas.</param>
public sealed record Publication(string Topic, string Name, ReadOnlyMemory<byte> Data)
{
    /// <summary>Tells a repetition from another message.</summary>
    public Guid Id { get; init; }

    /// <summary>Bytes that <see cref="Data"/> refers to by their number.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Attachments { get; init; } = [];

    /// <summary>The one follower that is not told: whoever said it.</summary>
    public string? Except { get; init; }

    /// <summary>A second topic that it is in: what happens in a project happens in its organization.</summary>
    public string? AlsoIn { get; init; }

    public bool IsIn(string topic) => Topic == topic || AlsoIn == topic;
}

/// <summary>One publication on its way to the followers of a node; all of them are handed the same object.</summary>
/// <param name="offset">In its log; 0 for what is not kept.</param>
/// <param name="mark">How far a follower has come who was told this; null for what is not kept.</param>
public sealed class TopicMessage(Publication publication, long offset, Mark? mark, DateTimeOffset at)
{
    private Rendering? _rendering;

    public Publication Publication { get; } = publication;

    public long Offset { get; } = offset;

    public Mark? Mark { get; } = mark;

    public DateTimeOffset At { get; } = at;

    /// <summary>About, in bytes.</summary>
    public int Size { get; } = 200 + publication.Data.Length + publication.Attachments.Sum(attachment => attachment.Length);

    /// <summary>What is sent of it, made once for all who are sent the same.</summary>
    /// <param name="form">In which form: compared by reference.</param>
    /// <param name="render">Makes it.</param>
    public T Rendered<T>(object form, Func<TopicMessage, T> render)
        where T : class
    {
        if (_rendering is { } known && ReferenceEquals(known.Form, form))
        {
            return (T)known.Made;
        }

        var made = render(this);
        _rendering = new Rendering(form, made);
        return made;
    }

    private sealed record Rendering(object Form, object Made);
}

/// <summary>The names of topics that the server feeds by itself, from the log of events.</summary>
public static class TopicNames
{
    private const string OrganizationPrefix = "organization:";
    private const string ProjectPrefix = "project:";

    public static string OfOrganization(Guid id) => $"{OrganizationPrefix}{id}";

    public static string OfProject(Guid id) => $"{ProjectPrefix}{id}";

    public static Guid? OrganizationOf(string topic) => IdIn(topic, OrganizationPrefix);

    public static Guid? ProjectOf(string topic) => IdIn(topic, ProjectPrefix);

    /// <summary>Nobody publishes there but the log.</summary>
    public static bool IsOfEvents(string topic) =>
        topic.StartsWith(OrganizationPrefix, StringComparison.Ordinal) || topic.StartsWith(ProjectPrefix, StringComparison.Ordinal);

    private static Guid? IdIn(string topic, string prefix) =>
        topic.StartsWith(prefix, StringComparison.Ordinal) && Guid.TryParseExact(topic.AsSpan(prefix.Length), "D", out var id) ? id : null;
}

/// <param name="Names">Names of messages, or their beginnings and a star; null for all.</param>
/// <param name="Filter">What the follower itself looks at, kept for it when it comes back; topics do not.</param>
public sealed record TopicInterest(string Topic, IReadOnlyList<string>? Names = null, string? Filter = null);

/// <summary>A topic as a follower joined it: enough to go on with it on another node.</summary>
/// <param name="Join">Which of the follower's joins it was, from 1.</param>
/// <param name="Since">From where on the follower was to be told.</param>
/// <param name="Until">Where the log was when the follower had been told what it missed.</param>
public sealed record JoinedTopic(TopicInterest Interest, int Join, LogPosition Since, LogPosition Until)
{
    /// <summary>The topic as a follower goes on with it who has come as far as this mark; null for one who was told nothing.</summary>
    public JoinedTopic From(Mark? mark)
    {
        var after = After(mark);
        return this with { Since = after, Until = after };
    }

    private LogPosition After(Mark? mark)
    {
        if (mark is null)
        {
            return Since;
        }

        var told = TopicNames.IsOfEvents(Interest.Topic) ? mark.Events : mark.Messages;
        if (told.Epoch == LogPosition.Unknown)
        {
            return Since;
        }

        if (!string.Equals(told.Epoch, Until.Epoch, StringComparison.Ordinal))
        {
            return told;
        }

        var wasCaughtUp = told.Offset > Until.Offset || mark.Join > Join || Since == Until;
        return wasCaughtUp ? told with { Offset = Math.Max(told.Offset, Until.Offset) }
            : mark.Join == Join ? told with { Offset = mark.Caught }
            : Since;
    }
}

/// <summary>Whoever follows topics on this node.</summary>
public interface ITopicFollower
{
    /// <summary>Of this one follower; what it publishes names it to be left out.</summary>
    string Id { get; }

    /// <summary>In the order of the log, one at a time. It must not wait.</summary>
    /// <param name="message">Shared with all other followers.</param>
    /// <param name="mark">How far the follower has come with it; null for what is not kept.</param>
    void Deliver(TopicMessage message, Mark? mark);

    /// <summary>Messages of the topic may have been lost on their way: what it knows must be read anew.</summary>
    void Missed(string topic);
}

/// <summary>The topics of one follower. Its disposal ends them.</summary>
public interface ITopicSession : IDisposable
{
    IReadOnlyList<JoinedTopic> Topics { get; }

    /// <summary>Begins to follow, after everything that came behind <paramref name="since"/> has been told.</summary>
    /// <param name="interest">A topic that is followed already is followed with this interest instead.</param>
    /// <param name="since">Null for what comes from now on.</param>
    /// <returns>False: what came behind it is not kept any more, and the follower has been told what comes from now on.</returns>
    ValueTask<bool> JoinAsync(TopicInterest interest, LogPosition? since, CancellationToken cancellationToken);

    void Leave(string topic);

    /// <summary>Goes on where a follower was on another connection, perhaps to another node.</summary>
    /// <param name="topics">As <see cref="JoinedTopic.From"/> says; each is told behind its <see cref="JoinedTopic.Since"/>.</param>
    /// <returns>False: a gap could not be excluded, and nothing is followed.</returns>
    ValueTask<bool> ResumeAsync(IReadOnlyList<JoinedTopic> topics, CancellationToken cancellationToken);
}

/// <summary>
/// Topics of this installation: what is published on any node is told on every node, in the same order. The last 1,000
/// messages of a topic, or of two minutes, can be asked for afterwards.
/// </summary>
public interface ITopics
{
    /// <summary>Returns when every node will tell it.</summary>
    /// <returns>Its place; refused when the nodes cannot be reached, which <see cref="RealtimeRefusals.Away"/> says.</returns>
    ValueTask<Result<LogPosition>> PublishAsync(Publication publication, CancellationToken cancellationToken);

    /// <summary>For what is worth nothing later (a cursor's move): told at once, to who is there, and not kept.</summary>
    void Send(Publication publication);

    ITopicSession Open(ITopicFollower follower);

    /// <summary>Who joins a topic behind this is told all that is kept of it. Asked of one that nobody follows here, it may be too late for some.</summary>
    LogPosition KeptSince(string topic);

    /// <summary>How far this node has told both logs.</summary>
    Mark Now { get; }

    /// <summary>What this node keeps of a topic, newest first.</summary>
    /// <param name="name">Of the messages.</param>
    /// <param name="limit">At most so many.</param>
    IReadOnlyList<TopicMessage> Recent(string topic, string name, int limit);

    /// <summary>Where a position of the log of events is, for whoever joins one of its topics.</summary>
    ValueTask<LogPosition> PlaceOfAsync(long position, CancellationToken cancellationToken);
}

/// <summary>Who is in a topic, as far as all nodes have said; those of a node that died are gone within half a minute.</summary>
public interface IPresence
{
    /// <param name="topic">Any name.</param>
    /// <param name="member">Of this connection.</param>
    /// <param name="data">JSON that others are shown.</param>
    void Enter(string topic, string member, ReadOnlyMemory<byte> data);

    void Leave(string topic, string member);

    int Count(string topic);

    IReadOnlyList<PresentMember> List(string topic);

    /// <summary>Told on every node, once for each member who comes or goes. It must not wait.</summary>
    event EventHandler<PresenceChangedEventArgs>? Changed;
}

/// <param name="Id">Of the connection.</param>
/// <param name="Node">Where it is connected.</param>
/// <param name="Data">JSON.</param>
public sealed record PresentMember(string Id, string Node, ReadOnlyMemory<byte> Data);

public sealed class PresenceChangedEventArgs(string topic, PresentMember member, bool hasEntered) : EventArgs
{
    public string Topic { get; } = topic;

    public PresentMember Member { get; } = member;

    public bool HasEntered { get; } = hasEntered;
}

/// <summary>Every event that is told on this node, once somebody there follows any.</summary>
public interface IEventWatch
{
    /// <summary>It must not wait.</summary>
    event EventHandler<EventSeenEventArgs>? Seen;
}

public sealed class EventSeenEventArgs(string type, Guid organization) : EventArgs
{
    public string Type { get; } = type;

    public Guid Organization { get; } = organization;
}

public static class RealtimeRefusals
{
    public static readonly Refusal Away =
        new(RefusalKind.Busy, "realtime.away", "Messages cannot be passed between the server's nodes just now. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(2) };

    public static readonly Refusal TicketRejected =
        new(RefusalKind.Unauthenticated, "realtime.ticket_rejected", "This ticket was used, has expired, or never was one.");

    public static readonly Refusal TooManyTopics =
        new(RefusalKind.TooMany, "realtime.too_many_topics", "A connection follows 128 topics at most.");

    public static readonly Refusal TooManyConnections =
        new(RefusalKind.TooMany, "realtime.too_many_connections", "There are too many connections of this account already.");
}
