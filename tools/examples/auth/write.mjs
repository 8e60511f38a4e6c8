// Stands in for the agents of plan.yaml: writes one part of a small authentication service.
//   node tools/examples/auth/write.mjs models|passwords|api|docs
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const parts = {
  models: {
    'src/auth/models/session.mjs': `/** How long a session lasts without being used. */
export const sessionLengthMs = 30 * 60_000;

/** A session of one user; \`now\` in milliseconds since the epoch. */
export function startSession(user, id, now) {
  return { id, userName: user.name, expiresAt: now + sessionLengthMs };
}

/** Whether a session still counts. */
export function isLive(session, now) {
  return session.expiresAt > now;
}
`,
  },
  passwords: {
    'src/auth/passwords/password.mjs': `import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** What is kept of a password: a salt and a slow hash of both. */
export function keepPassword(text) {
  const salt = randomBytes(16);
  return { salt, hash: scryptSync(text, salt, 32) };
}

/** Whether a text is the password that was kept. Takes the same time either way. */
export function isPassword(text, kept) {
  return timingSafeEqual(scryptSync(text, kept.salt, 32), kept.hash);
}
`,
    'src/auth/passwords/password.test.mjs': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPassword, keepPassword } from './password.mjs';

test('knows the password again, and no other', () => {
  const kept = keepPassword('open sesame');
  assert.equal(isPassword('open sesame', kept), true);
  assert.equal(isPassword('open barley', kept), false);
});
`,
  },
  api: {
    'src/auth/api/sessions.mjs': `import { randomUUID } from 'node:crypto';
import { isLive, startSession } from '../models/session.mjs';
import { isPassword } from '../passwords/password.mjs';

/** POST /sessions: a session for who knows the password, else undefined. */
export function login(users, { name, text }, now) {
  const user = users.get(name);
  if (user === undefined || !isPassword(text, user.kept)) return undefined;
  return startSession(user, randomUUID(), now);
}

/** GET /sessions/ID: the user's name while the session lives. */
export function whoIs(session, now) {
  return isLive(session, now) ? session.userName : undefined;
}
`,
    'src/auth/api/sessions.test.mjs': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepPassword } from '../passwords/password.mjs';
import { login, whoIs } from './sessions.mjs';

const users = new Map([['ada', { name: 'ada', kept: keepPassword('open sesame') }]]);

test('lets in who knows the password, for a while', () => {
  const session = login(users, { name: 'ada', text: 'open sesame' }, 0);
  assert.equal(whoIs(session, 1000), 'ada');
  assert.equal(whoIs(session, 24 * 60 * 60_000), undefined);
});

test('lets nobody else in', () => {
  assert.equal(login(users, { name: 'ada', text: 'open barley' }, 0), undefined);
  assert.equal(login(users, { name: 'eve', text: 'open sesame' }, 0), undefined);
});
`,
  },
  docs: {
    'docs/auth.md': `# Authentication

- \`POST /sessions\` takes a name and a password and answers a session.
- \`GET /sessions/ID\` answers whose session it is while it lives.
`,
  },
};

const files = parts[process.argv[2]];
if (files === undefined) throw new Error(`one of ${Object.keys(parts).join(', ')} is needed`);
for (const [file, text] of Object.entries(files)) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`wrote ${file}`);
}
