using System.Collections.Concurrent;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Realtime;
using Vtp.Application.Tenancy;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Api.Realtime.Feeds;

/// <summary>
/// <c>/events</c>: what happens in the caller's organizations, as it happens. The events are those of <c>GET /events</c> and of
/// webhooks, with the same ids.
/// </summary>
internal sealed partial class EventsNamespace : SocketNamespace, IDisposable
{
    // After these somebody may no longer be told what they were told before.
    private static readonly string[] Shifting = ["member.", "organization.", "project."];

    private readonly IMemberships _memberships;
    private readonly IEventWatch _watch;
    private readonly ILogger<EventsNamespace> _logger;
    private readonly ConcurrentDictionary<Socket, byte> _sockets = new();

    public EventsNamespace(IMemberships memberships, IEventWatch watch, ILogger<EventsNamespace> logger)
    {
        (_memberships, _watch, _logger) = (memberships, watch, logger);
        watch.Seen += OnSeen;
        On<FollowEventsQuery, Followed>("subscribe", SubscribeAsync);
        On<Unsubscribe, Followed>("unsubscribe", UnsubscribeAsync);
    }

    public override string Name => "/events";

    public override bool IsRecoverable => true;

    public override string EventOf(TopicMessage message) => "event";

    public override ValueTask DisconnectedAsync(Socket socket, string reason)
    {
        _sockets.TryRemove(socket, out _);
        return default;
    }

    public override async ValueTask<bool> MayGoOnAsync(Socket socket, IReadOnlyList<JoinedTopic> topics, CancellationToken cancellationToken)
    {
        var organizations = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var topic in topics.Select(topic => topic.Interest.Topic))
        {
            if (await OrganizationOfAsync(socket.Caller!, topic, cancellationToken) is not { } organization)
            {
                return false;
            }

            organizations[topic] = organization;
        }

        socket.State = organizations;
        _sockets[socket] = 0;
        return true;
    }

    public void Dispose() => _watch.Seen -= OnSeen;

    private async ValueTask<Result<Followed>> SubscribeAsync(Socket socket, FollowEventsQuery asked, CancellationToken cancellationToken)
    {
        if (!(await socket.SendAsync(asked, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        var isComplete = true;
        socket.State = new Dictionary<string, Guid>([.. (socket.State as Dictionary<string, Guid> ?? []).Where(known => !found.Topics.ContainsKey(known.Key)), .. found.Topics], StringComparer.Ordinal);
        _sockets[socket] = 0;
        foreach (var topic in found.Topics.Keys)
        {
            if (!(await socket.JoinAsync(new TopicInterest(topic, found.Names), found.After, cancellationToken)).TryGet(out var joined, out var full))
            {
                return full;
            }

            isComplete &= joined.Recovered;
        }

        return new Followed([.. socket.Topics.Select(topic => topic.Interest.Topic)], isComplete);
    }

    private static async ValueTask<Result<Followed>> UnsubscribeAsync(Socket socket, Unsubscribe asked, CancellationToken cancellationToken)
    {
        foreach (var topic in socket.Topics.Select(topic => topic.Interest.Topic).Where(topic =>
            (asked is { OrgId: null, ProjectId: null })
            || (asked.OrgId is { } organization && topic == TopicNames.OfOrganization(organization))
            || (asked.ProjectId is { } project && topic == TopicNames.OfProject(project))))
        {
            await socket.LeaveAsync(topic, cancellationToken);
        }

        return new Followed([.. socket.Topics.Select(topic => topic.Interest.Topic)], Recovered: true);
    }

    /// <returns>Null when it is not the caller's to follow.</returns>
    private async ValueTask<Guid?> OrganizationOfAsync(Connected caller, string topic, CancellationToken cancellationToken)
    {
        if (caller.Key is { } key)
        {
            return topic == TopicNames.OfProject(key.ProjectId.Value) ? key.OrganizationId.Value : null;
        }

        var account = caller.Person!.AccountId;
        var membership = TopicNames.OrganizationOf(topic) is { } organization
            ? await _memberships.FindAsync(account, new OrganizationId(organization), cancellationToken)
            : await _memberships.FindAsync(account, new ProjectId(TopicNames.ProjectOf(topic)!.Value), cancellationToken);
        return membership is { IsDeleted: false } && membership.Role.Holds(Permission.ViewOrganization) ? membership.OrganizationId.Value : null;
    }

    private void OnSeen(object? sender, EventSeenEventArgs seen)
    {
        if (!_sockets.IsEmpty && Array.Exists(Shifting, beginning => seen.Type.StartsWith(beginning, StringComparison.Ordinal)))
        {
            _ = AskAgainAsync(seen.Organization);
        }
    }

    private async Task AskAgainAsync(Guid organization)
    {
        try
        {
            await Task.Yield();
            foreach (var socket in _sockets.Keys)
            {
                if ((socket.State as Dictionary<string, Guid>)?.ContainsValue(organization) == true
                    && !await MayGoOnAsync(socket, socket.Topics, CancellationToken.None))
                {
                    socket.Disconnect(Refusal.Forbidden);
                }
            }
        }
        catch (Exception exception)
        {
            LogNotAsked(exception); // Each is asked again within half a minute.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "It could not be found out whether sockets may still follow events; trying again shortly")]
    private partial void LogNotAsked(Exception exception);

    private sealed record Unsubscribe(Guid? OrgId, Guid? ProjectId);

    /// <param name="Topics">All that the socket follows now.</param>
    /// <param name="Recovered">False: something behind <c>after</c> is not kept any more, or is too much; read it with GET /events.</param>
    private sealed record Followed(IReadOnlyList<string> Topics, bool Recovered);
}
