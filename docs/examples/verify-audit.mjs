// Verifies an audit export with nothing of VTP's: node verify-audit.mjs EXPORT KEYS.json [KEPT-CHECKPOINTS]
// Exit code 0: nothing was found; 1: something was; 2: it could not be read. Node 20 or newer, no packages.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';

const [exportFile, keyFile, keptFile] = process.argv.slice(2);
let findings = 0, organization;
const find = (sentence) => { findings++; console.log(`Finding: ${sentence}`); };
const stop = (sentence) => { console.error(sentence); process.exit(2); };
process.on('uncaughtException', (error) => stop(`It cannot be read: ${error.message}`));

// RFC 8785; JSON.stringify writes strings and numbers as it asks for, and sort() compares UTF-16 code units.
const canonical = (value) => Array.isArray(value) ? `[${value.map(canonical).join(',')}]`
  : value && typeof value === 'object' ? `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
    : JSON.stringify(value);
const hashOf = ({ type, hash, ...rest }) => createHash('sha256').update(canonical(rest), 'utf8').digest('hex');
// JSON.parse takes the last of two members with one name; another reader may show the first. So there may not be two.
const names = (value) => value === null || typeof value !== 'object' ? 0
  : Object.values(value).reduce((sum, member) => sum + names(member), Array.isArray(value) ? 0 : Object.keys(value).length);
function parse(text, line) {
  try {
    const value = JSON.parse(text);
    const written = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter((match) => match[1]).length;
    if (value && typeof value === 'object' && !Array.isArray(value) && names(value) === written) return value;
  } catch { /* Said below, for both. */ }
  return stop(`Line ${line} is not one JSON object with each name once.`);
}
async function* lines() { // Not node:readline, which also ends lines at U+2028 within a string.
  let rest = '', number = 0;
  for await (const chunk of createReadStream(exportFile, 'utf8')) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop();
    for (const part of parts) if (++number && part) yield [parse(part, number), number];
  }
  if (rest) yield [parse(rest, ++number), number];
}
const keys = [JSON.parse(readFileSync(keyFile, 'utf8'))].flatMap((jwk) => jwk.keys ?? jwk).filter((jwk) => jwk.crv === 'P-256');
function open(jws, typ, name) { // RFC 7515, ES256 only: the algorithm is never the sender's choice.
  try {
    const [header, payload, signature] = jws.split('.');
    const { alg, typ: type, kid, crit } = JSON.parse(Buffer.from(header, 'base64url'));
    const jwk = keys.find((key) => (key.kid ?? kid) === kid);
    const ok = alg === 'ES256' && type === typ && !crit && jwk && verify('sha256', Buffer.from(`${header}.${payload}`),
      { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
    const statement = ok && JSON.parse(Buffer.from(payload, 'base64url'));
    if (statement && statement.organization_id === organization) return statement;
  } catch { /* Said below, for all. */ }
  return find(`${name} is not signed by a known key for this organization.`);
}

// First pass: what was signed. It comes after the entries, and the entries are too many to keep.
let header;
const signed = new Map(), dropped = [];
function checkpoint(jws, name) {
  const { sequence, hash } = open(jws, 'vtp-audit-checkpoint', name) ?? {};
  if (sequence) signed.set(sequence, [...(signed.get(sequence) ?? []), hash]);
}
for await (const [line, number] of lines()) {
  if (!header && (line.type !== 'export' || line.version !== 1)) stop('It does not begin with an export line of version 1.');
  if (!header) ({ organization_id: organization } = header = line);
  else if (line.type === 'checkpoint') checkpoint(line.jws, `The checkpoint in line ${number}`);
  else if (line.type === 'retention') dropped.push(...(open(line.jws, 'vtp-audit-retention', `The retention in line ${number}`)?.ranges ?? []));
}
if (!header) stop('It is empty.');
if (keptFile) readFileSync(keptFile, 'utf8').split('\n').filter(Boolean).forEach((jws) => checkpoint(jws.trim(), 'A kept checkpoint'));
dropped.sort(([one], [other]) => one - other);
const filtered = Object.keys(header.filters).length > 0;
function missing(from, to, what) { // What of a gap no retention accounts for.
  for (const [first, last] of [...dropped, [Infinity, Infinity]]) {
    const end = Math.min(to, first - 1);
    if (from <= end && !filtered) find(`Entries ${from} to ${end} ${what}.`);
    from = Math.max(from, last + 1);
  }
}

// Second pass: each entry against itself, against the one before it, and against what was signed.
let last = { sequence: 0, hash: '0'.repeat(64) }, entries = 0, unbound = 0, pending = 0;
for await (const [entry] of lines()) {
  if (entry.type !== 'entry') continue;
  const { sequence, hash, previous_hash: previous, id } = entry, name = `Entry ${JSON.stringify(sequence)} (${JSON.stringify(id)})`;
  entries++;
  if (hashOf(entry) !== hash) find(`${name} was edited: its content does not give its hash.`);
  if (entry.organization_id !== organization) find(`${name} belongs to another organization.`);
  if (dropped.some(([first, end]) => first <= sequence && sequence <= end)) find(`${name} was inserted where entries were dropped.`);
  if (!Number.isSafeInteger(sequence) || sequence <= last.sequence) { find(`${name} was inserted, or its order changed.`); continue; }
  if (sequence === last.sequence + 1 && previous !== last.hash) find(`${name} or the one before it was edited: they do not follow each other.`);
  if (signed.get(sequence - 1)?.some((known) => known !== previous)) find(`${name} does not follow the signed entry ${sequence - 1}.`);
  if (signed.get(sequence)?.some((known) => known !== hash)) find(`${name} is not the one that was signed: the chain was rewritten.`);
  missing(last.sequence + 1, sequence - 1, 'were deleted');
  if (sequence !== last.sequence + 1) [unbound, pending] = [unbound + pending, 0]; // A checkpoint reaches back to the next gap.
  pending = signed.has(sequence) ? 0 : pending + 1;
  last = entry;
}
const newest = [...signed.keys()].reduce((one, other) => Math.max(one, other), 0);
missing(last.sequence + 1, newest, `were cut off: a checkpoint names entry ${newest}`);
if (entries > 0 && signed.size === 0) find('There is no valid checkpoint, so nothing ties these entries to what was signed.');
console.log(`Checked ${entries} entries up to ${last.sequence} and ${signed.size} checkpoints; ${unbound + pending} entries are covered by none.`);
if (filtered) console.log('The export is filtered: what is missing cannot be judged.');
process.exitCode = findings ? 1 : 0;
