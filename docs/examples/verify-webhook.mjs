// Verifies a webhook of VTP with Node's own modules (Standard Webhooks): v1 with a whsec_ secret, v1a with a whpk_ public key.
// node verify-webhook.mjs SECRET_OR_PUBLIC_KEY ID TIMESTAMP SIGNATURES < body
import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const TOLERANCE = 300;

export function isGenuine(key, id, timestamp, signatures, body, now = Date.now() / 1000) {
  if (!/^[0-9]+$/.test(timestamp) || Math.abs(now - Number(timestamp)) > TOLERANCE) return false;
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  return signatures.split(' ').some(one => matches(key, content, ...one.split(',')));
}

function matches(key, content, version, signature = '') {
  const given = Buffer.from(signature, 'base64');
  if (version === 'v1' && key.startsWith('whsec_')) {
    const expected = createHmac('sha256', Buffer.from(key.slice(6), 'base64')).update(content).digest();
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
  if (version === 'v1a' && key.startsWith('whpk_')) {
    const x = Buffer.from(key.slice(5), 'base64').toString('base64url');
    return verify(null, content, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), given);
  }
  return false;
}

if (process.argv.length > 2) {
  const genuine = isGenuine(...process.argv.slice(2, 6), readFileSync(0));
  console.log(genuine ? 'genuine' : 'refused');
  process.exit(genuine ? 0 : 1);
}
