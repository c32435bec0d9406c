using System.Text.Json;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.SocketIo;

/// <summary>A namespace for everybody who shows a credential; what there is for them is up to its features.</summary>
internal sealed class SharedNamespace : SocketNamespace
{
    private readonly SocketFeature[] _features;
    private readonly Dictionary<string, SocketFeature> _byEvent = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">Two features take the same event.</exception>
    public SharedNamespace(string name, IEnumerable<SocketFeature> features)
    {
        (Name, _features) = (name, [.. features.Where(feature => feature.Namespaces.Contains(name, StringComparer.Ordinal))]);
        foreach (var feature in _features)
        {
            foreach (var happened in feature.Events)
            {
                _byEvent.Add(happened, feature);
            }
        }
    }

    public override string Name { get; }

    public override string EventOf(TopicMessage message) => OwnerOf(message)?.EventOf(message) ?? base.EventOf(message);

    public override ReadOnlyMemory<byte> DataOf(TopicMessage message) => OwnerOf(message)?.DataOf(message) ?? base.DataOf(message);

    public override bool IsFor(Socket socket, TopicMessage message) => OwnerOf(message)?.IsFor(socket, message) ?? true;

    public override async ValueTask<Refusal?> ConnectAsync(Socket socket, JsonElement auth, CancellationToken cancellationToken)
    {
        var states = new Dictionary<SocketFeature, object>();
        foreach (var feature in _features)
        {
            if (await feature.TakeInAsync(socket, auth, cancellationToken) is { } state)
            {
                states.Add(feature, state);
            }
        }

        socket.State = states;
        return null;
    }

    public override async ValueTask<bool> MayGoOnAsync(Socket socket, IReadOnlyList<JoinedTopic> topics, CancellationToken cancellationToken)
    {
        foreach (var (feature, state) in StatesOf(socket))
        {
            if (!await feature.MayGoOnAsync(socket, state, cancellationToken))
            {
                return false;
            }
        }

        return true;
    }

    public override async ValueTask DisconnectedAsync(Socket socket, string reason)
    {
        foreach (var (feature, state) in StatesOf(socket))
        {
            await feature.LeftAsync(socket, state, reason);
        }
    }

    internal override ValueTask<SocketReply> HandleAsync(Socket socket, SocketEvent happened, CancellationToken cancellationToken) =>
        _byEvent.TryGetValue(happened.Name, out var feature) && StatesOf(socket).TryGetValue(feature, out var state)
            ? feature.HandleAsync(socket, state, happened, cancellationToken)
            : base.HandleAsync(socket, happened, cancellationToken);

    private SocketFeature? OwnerOf(TopicMessage message)
    {
        foreach (var feature in _features)
        {
            if (feature.Owns(message.Publication.Topic))
            {
                return feature;
            }
        }

        return null;
    }

    private static Dictionary<SocketFeature, object> StatesOf(Socket socket) => socket.State as Dictionary<SocketFeature, object> ?? [];
}
