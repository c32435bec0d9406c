// Reads, as LiveKit's own SDK does, what was sent to LiveKit: one JSON array of {path, body, token} in, one of what it understood
// out. What its protocol has no field for is an error. When a token expires is tested elsewhere: tests have clocks of their own.
import { readFileSync } from 'node:fs';
import * as protocol from '@livekit/protocol';
import { TokenVerifier } from 'livekit-server-sdk';

const [key, secret] = process.argv.slice(2);
const verifier = new TokenVerifier(key, secret);
const messages = {
  StartRoomCompositeEgress: protocol.RoomCompositeEgressRequest,
  StopEgress: protocol.StopEgressRequest,
  DeleteRoom: protocol.DeleteRoomRequest,
};

const understood = [];
for (const { path, body, token } of JSON.parse(readFileSync(0, 'utf8'))) {
  const method = path.split('/').pop();
  const message = body === null ? null : messages[method].fromJson(JSON.parse(body)).toJson();
  const { video } = await verifier.verify(token, '20 years');
  understood.push({ method, message, video });
}

console.log(JSON.stringify(understood));
