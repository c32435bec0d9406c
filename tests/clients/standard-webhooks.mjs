// node standard-webhooks.mjs SECRET ID TIMESTAMP SIGNATURES < body: the verdict of the public library.
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';

const [secret, id, timestamp, signature] = process.argv.slice(2);
try {
  new Webhook(secret).verify(readFileSync(0), { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature });
  console.log('genuine');
} catch (error) {
  console.log(error.name);
  process.exit(1);
}
