using System.Text.Json;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;

namespace Vtp.Api.Realtime.Dashboard;

/// <summary>
/// The dashboard in <c>/</c>, where its older clients look for it. Who may not watch is connected without it, and so is whoever
/// named a room in the address: they came to meet others there.
/// </summary>
internal sealed class DashboardFeature : SocketFeature<DashboardSockets>
{
    private readonly DashboardSockets _sockets;

    public DashboardFeature(DashboardSockets sockets)
    {
        _sockets = sockets;
        foreach (var (name, handle) in sockets.Events)
        {
            On(name, (socket, _, happened, cancellationToken) => handle(socket, happened, cancellationToken));
        }
    }

    public override IReadOnlyCollection<string> Namespaces => ["/"];

    public override bool Owns(string topic) => DashboardScope.HasTopic(topic);

    public override string EventOf(TopicMessage message) => DashboardNotice.Of(message).Event;

    public override ReadOnlyMemory<byte> DataOf(TopicMessage message) => DashboardNotice.Of(message).Data;

    public override bool IsFor(Socket socket, TopicMessage message) => _sockets.IsFor(socket, message);

    protected override async ValueTask<DashboardSockets?> ConnectAsync(Socket socket, JsonElement auth, CancellationToken cancellationToken) =>
        !socket.Handshake.NamesRoom && socket.Caller?.Person is not null && await _sockets.ConnectAsync(socket, auth, cancellationToken) is null ? _sockets : null;

    protected override ValueTask<bool> MayGoOnAsync(Socket socket, DashboardSockets state, CancellationToken cancellationToken) =>
        _sockets.MayGoOnAsync(socket, socket.Topics, cancellationToken);

    protected override ValueTask DisconnectedAsync(Socket socket, DashboardSockets state, string reason)
    {
        _sockets.Leave(socket);
        return default;
    }
}
