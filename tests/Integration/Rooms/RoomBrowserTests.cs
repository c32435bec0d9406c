using Vtp.Integration.Console;
using Vtp.Integration.Fixture;
using Vtp.Integration.Realtime;

namespace Vtp.Integration.Rooms;

/// <summary>Two pages of a real browser, which know nothing of each other but what signaling says.</summary>
public sealed class RoomBrowserTests(BrowserApi api) : IClassFixture<BrowserApi>
{
    private const string Script =
        """
        async ({ token, room, isFirst }) => {
          const socket = io('/', { transports: ['websocket'], auth: { token } });
          const peers = new Map();
          let last = Promise.resolve();
          const inTurn = (work) => (...args) => { last = last.then(() => work(...args)); };
          const connectionTo = (id) => {
            const connection = peers.get(id) ?? new RTCPeerConnection();
            connection.onicecandidate = ({ candidate }) => socket.emit('ice-candidate', { to: id, candidate });
            peers.set(id, connection);
            return connection;
          };
          const heard = new Promise((resolve, reject) => {
            socket.on('connect_error', reject);
            socket.on('error', (error) => reject(new Error(error.message)));
            socket.on('ice-candidate', inTurn(({ from, candidate }) => candidate && peers.get(from).addIceCandidate(candidate)));
            socket.on('webrtc-answer', inTurn(({ from, sdp }) => peers.get(from).setRemoteDescription(sdp)));
            socket.on('webrtc-offer', inTurn(async ({ from, sdp }) => {
              const connection = connectionTo(from);
              connection.ondatachannel = ({ channel }) => { channel.onmessage = ({ data }) => { channel.send(`heard ${data}`); resolve(data); }; };
              await connection.setRemoteDescription(sdp);
              await connection.setLocalDescription();
              socket.emit('webrtc-answer', { to: from, sdp: connection.localDescription });
            }));
            socket.on('connect', async () => {
              const { participants } = await socket.emitWithAck('join-room', JSON.stringify({ roomId: room, fullName: isFirst ? 'First' : 'Second', isProducer: true }));
              window.isThere = true;
              for (const { SocketID: id } of participants.filter((one) => one.SocketID !== socket.id)) {
                const connection = connectionTo(id);
                const channel = connection.createDataChannel('lesson');
                channel.onopen = () => channel.send('good morning');
                channel.onmessage = ({ data }) => resolve(data);
                await connection.setLocalDescription();
                socket.emit('webrtc-offer', { to: id, sdp: connection.localDescription });
              }
            });
          });
          return await heard;
        }
        """;

    [Fact]
    public async Task Two_browsers_exchange_data_past_the_server()
    {
        await using var first = await EnterAsync();
        await using var second = await EnterAsync();
        var room = RoomNodes.NewRoom();
        var answering = MeetAsync(first, isFirst: true);
        await await Task.WhenAny(first.Page.WaitForFunctionAsync("() => window.isThere"), answering);
        (await MeetAsync(second, isFirst: false)).Should().Be("heard good morning");
        (await answering).Should().Be("good morning");

        async Task<string> MeetAsync(Visitor visitor, bool isFirst) =>
            await visitor.Page.EvaluateAsync<string>(Script, new { token = (await api.RegisterAsync()).AccessToken, room, isFirst }).WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>A page of the server's own that may connect to it, with the client of socket.io. One that is only made up would be of no network, and kept out of this one.</summary>
    private async Task<Visitor> EnterAsync()
    {
        var visitor = await api.VisitorAsync();
        await visitor.Page.GotoAsync("/swagger/index.html");
        await visitor.Page.EvaluateAsync(await File.ReadAllTextAsync(SocketClients.Repository("tests/clients/node_modules/socket.io-client/dist/socket.io.min.js")));
        return visitor;
    }
}
