using System.Text.Json;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.Dashboard;

/// <summary><c>/dashboard</c>: for those who want nothing else. Who may not watch is refused, who was interrupted goes on.</summary>
internal sealed class DashboardNamespace : SocketNamespace
{
    private readonly DashboardSockets _sockets;

    public DashboardNamespace(DashboardSockets sockets)
    {
        _sockets = sockets;
        foreach (var (name, handle) in sockets.Events)
        {
            On(name, handle);
        }
    }

    public override string Name => "/dashboard";

    public override bool IsRecoverable => true;

    public override string EventOf(TopicMessage message) => DashboardNotice.Of(message).Event;

    public override ReadOnlyMemory<byte> DataOf(TopicMessage message) => DashboardNotice.Of(message).Data;

    public override bool IsFor(Socket socket, TopicMessage message) => _sockets.IsFor(socket, message);

    public override ValueTask<Refusal?> ConnectAsync(Socket socket, JsonElement auth, CancellationToken cancellationToken) =>
        _sockets.ConnectAsync(socket, auth, cancellationToken);

    public override ValueTask<bool> MayGoOnAsync(Socket socket, IReadOnlyList<JoinedTopic> topics, CancellationToken cancellationToken) =>
        _sockets.MayGoOnAsync(socket, topics, cancellationToken);

    public override ValueTask DisconnectedAsync(Socket socket, string reason)
    {
        _sockets.Leave(socket);
        return default;
    }
}
