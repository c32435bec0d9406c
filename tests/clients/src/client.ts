// A front-end team's day with the server, through types generated from its OpenAPI document and nobody's code of ours.
// schema.d.ts is made by the test that runs this.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./schema.js";

const baseUrl = process.env["VTP_URL"]!;
const administrator = { Authorization: `Bearer ${process.env["VTP_ADMIN_TOKEN"]}` };
const api = createClient<paths>({ baseUrl });

const email = `client-${randomUUID()}@school.example`;
const password = "correct horse battery";

const registered = await api.POST("/api/v1/auth/register", { body: { email, password, full_name: "Client Example", role: "teacher" } });
assert.equal(registered.response.status, 201, JSON.stringify(registered.error));
const role: "student" | "teacher" | "admin" = registered.data!.user.role;
assert.equal(role, "teacher");

// What the validator demands, the compiler demands.
// @ts-expect-error A registration without a name.
const nameless: components["schemas"]["RegisterAccountCommand"] = { email, password };
// @ts-expect-error No such role.
const boss: components["schemas"]["CreateUserCommand"] = { email, full_name: "Client Example", role: "boss" };
// @ts-expect-error A null where a value is required.
const empty: components["schemas"]["SignInCommand"] = { email, password: null };
void [nameless, boss, empty];

// Operations are named after their use cases.
const signIn: operations["SignIn"]["requestBody"]["content"]["application/json"] = { email, password };
const signedIn = await api.POST("/api/v1/auth/login", { body: signIn });
const firstToken = signedIn.data!.access_token!;
assert.equal(signedIn.data!.requires_2fa, false);

const refused = await api.POST("/api/v1/auth/login", { body: { email, password: "not this one" } });
const problem: components["schemas"]["Problem"] = refused.error!;
assert.equal(refused.response.status, 401);
assert.equal(problem.error, "account.credentials_rejected");
assert.equal(problem.message, problem.detail);

const caller = { Authorization: `Bearer ${firstToken}` };
const profile = await api.GET("/api/v1/auth/profile", { headers: caller });
assert.equal(profile.data!.email, email);
assert.ok(profile.data!.created_at.endsWith("Z"));
assert.equal(profile.data!.phone, null);

const refreshed = await api.POST("/api/v1/auth/refresh", { body: { refresh_token: signedIn.data!.refresh_token! } });
assert.notEqual(refreshed.data!.refresh_token, signedIn.data!.refresh_token);

const setUp = await api.POST("/api/v1/auth/2fa/setup", { headers: caller });
const enabled = await api.POST("/api/v1/auth/2fa/enable", { headers: caller, body: { code: totp(setUp.data!.secret) } });
assert.equal(enabled.data?.backup_codes.length, 8, JSON.stringify(enabled.error));
const challenged = await api.POST("/api/v1/auth/login", { body: { email, password } });
assert.equal(challenged.data!.requires_2fa, true);
assert.equal(challenged.data!.access_token, undefined);
const verified = await api.POST("/api/v1/auth/2fa/verify", {
  body: { challenge_token: challenged.data!.challenge_token!, code: enabled.data!.backup_codes[0]! },
});
assert.equal(verified.data!.verified, true);

const people = await api.GET("/api/v1/admin/users", { headers: administrator, params: { query: { role: "teacher", search: email, limit: 1 } } });
assert.deepEqual(people.data!.data.map((user) => user.user_id), [registered.data!.user_id]);
assert.equal(people.data!.pagination.total, 1);

// Somebody else's JWT library checks our tokens by our published keys, before and after a key is rotated.
const before = await verifyByPublishedKeys(firstToken);
assert.equal(before.sub, registered.data!.user_id);
const rotated = await api.POST("/api/v1/admin/signing-keys/rotate", { headers: administrator });
assert.ok(rotated.data, JSON.stringify(rotated.error));
const published = (await api.GET("/.well-known/jwks.json")).data!.keys.map((key) => key.kid);
assert.equal(published.length, 2);
assert.ok(published.includes(before.kid) && published.includes(rotated.data.kid));
assert.equal((await verifyByPublishedKeys(firstToken)).kid, before.kid);

const again = await api.POST("/api/v1/auth/register", { body: { email: `again-${email}`, password, full_name: "Client Example" } });
assert.equal((await verifyByPublishedKeys(again.data!.access_token)).kid, rotated.data.kid);

console.log("The typed client is content.");

async function verifyByPublishedKeys(token: string): Promise<{ sub: string; kid: string }> {
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", baseUrl));
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: "vtp-platform", audience: "vtp", algorithms: ["ES256"] });
  return { sub: payload.sub!, kid: protectedHeader.kid! };
}

/** RFC 6238, from the secret as a person would type it. */
function totp(base32: string): string {
  const bits = [...base32].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const number = digest.readUInt32BE(digest.at(-1)! & 0xf) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}
