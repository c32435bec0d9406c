// Drives socket.io's own clients for a test: commands come as lines of JSON, and so does whatever happens.
import { createInterface } from 'node:readline';
import { io as io4 } from 'socket.io-client';
import io2 from 'socket.io-client-2';

const sockets = new Map();
const say = (message) => process.stdout.write(`${JSON.stringify(message, (_, value) => (Buffer.isBuffer(value) || value?.type === 'Buffer' ? { bytes: Buffer.from(value.data ?? value).toString('base64') } : value))}\n`);
const revive = (value) =>
  value === null || typeof value !== 'object' ? value
  : Array.isArray(value) ? value.map(revive)
  : typeof value.bytes === 'string' ? Buffer.from(value.bytes, 'base64')
  : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]));

const commands = {
  connect({ id, url, version, options, quiet }) {
    const socket = (version === 2 ? io2 : io4)(url, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
    const entry = { socket, count: 0, quiet };
    sockets.set(id, entry);
    socket.on('connect', () => say({ id, on: 'connect', args: [{ sid: socket.id, recovered: socket.recovered ?? false, transport: socket.io.engine.transport?.name }] }));
    socket.on('disconnect', (reason) => say({ id, on: 'disconnect', args: [reason] }));
    socket.on('connect_error', (error) => say({ id, on: 'connect_error', args: [{ message: error.message ?? String(error), data: error.data }] }));
    if (version === 2) {
      socket.on('error', (error) => say({ id, on: 'error', args: [error] }));
      const emitted = socket.onevent;
      socket.onevent = function (packet) {
        const [name, ...args] = packet.data;
        if (packet.id === undefined || packet.id === null) {
          if (name !== 'error') say({ id, on: name, args });
        } else {
          say({ id, on: name, args });
        }
        emitted.call(this, packet);
      };
    } else {
      socket.io.engine?.on('upgrade', (transport) => say({ id, on: '$upgrade', args: [transport.name] }));
      socket.onAny((name, ...args) => {
        entry.count++;
        const answer = typeof args.at(-1) === 'function' ? args.pop() : null;
        if (!entry.quiet) say({ id, on: name, args });
        if (answer && name !== 'silent') answer('answer of', id);
      });
    }
  },
  emit({ id, event, args = [], ack }) {
    const { socket } = sockets.get(id);
    const revived = args.map(revive);
    if (ack === undefined) socket.emit(event, ...revived);
    else socket.emit(event, ...revived, (...answer) => say({ id, ack, args: answer }));
  },
  // As an interruption of the network: the client comes back by itself.
  cut({ id }) {
    sockets.get(id).socket.io.engine.close();
  },
  // To another node, as behind a balancer without sticky sessions.
  move({ id, url }) {
    sockets.get(id).socket.io.uri = url;
  },
  auth({ id, auth }) {
    sockets.get(id).socket.auth = auth;
  },
  flood({ id, event, count }) {
    const { socket } = sockets.get(id);
    for (let index = 0; index < count; index++) socket.emit(event, index);
  },
  count({ id, ask }) {
    say({ id, ack: ask, args: [sockets.get(id).count] });
  },
  close({ id }) {
    sockets.get(id).socket.disconnect();
    sockets.delete(id);
  },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  try {
    commands[command.do](command);
  } catch (error) {
    say({ id: command.id, on: '$failed', args: [String(error)] });
  }
}).on('close', () => process.exit(0));
say({ on: '$ready' });
