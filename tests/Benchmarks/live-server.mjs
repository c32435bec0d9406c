// npm's server with the same namespace, as its documentation sets it up: WebSocket, no compression.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { Server } = createRequire(process.argv[2])('socket.io');
const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
const bench = io.of('/bench');
bench.on('connection', (socket) => {
  socket.on('join', (topic, done) => { socket.join(topic); done(); });
  socket.on('publish', (topic, text, done) => { bench.to(topic).emit('m', text); done(); });
});
http.listen(0, '127.0.0.1', () => console.log(`socket.io serves on http://127.0.0.1:${http.address().port}`));
