import { randomBytes, randomUUID } from 'node:crypto';
import test from 'ava';
import { createLog } from '../../../trigger/log.ts';
import { CachedSecret } from '../../../trigger/receiver/cached-secret.ts';
import { MAX_BODY_BYTES, Receiver } from '../../../trigger/receiver/receiver.ts';
import { signingKey } from '../../../trigger/receiver/signature.ts';
import type { Store } from '../../../trigger/receiver/store.ts';
import { ended, final, numbered, started } from '../../results/events-of-a-call.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { signatureHeaders, signedPost } from './signed-post.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const TOKEN = 'a-token-of-readers';
const sessionId = randomUUID();
const CALL = numbered([started(), final('AGENT', 0, 'hello'), final('CUSTOMER', 900, 'good day'), ended()], {
  sessionId,
  contactId: 'contact-1',
});

class MemoryStore implements Store {
  readonly objects = new Map<string, Buffer>();
  async put(key: string, content: Uint8Array) {
    this.objects.set(key, Buffer.from(content));
  }
  async list(prefix: string) {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix));
  }
  async get(key: string) {
    return this.objects.get(key);
  }
}

/** A receiver whose secrets a test can change. */
function receiverWith(secrets = { key: SECRET, token: TOKEN }, store: Store = new MemoryStore()) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  let reads = 0;
  const receiver = new Receiver({
    key: new CachedSecret(async () => {
      reads += 1;
      return signingKey(secrets.key);
    }, clock),
    token: new CachedSecret(async () => secrets.token, clock),
    store,
    clock,
    log: createLog('debug', clock, (line) => lines.push(line)),
  });
  const send = (headers: Record<string, string>, body: string | Buffer, path = '/') =>
    receiver.answer({ method: 'POST', path, headers, body: Buffer.from(body) });
  return {
    clock,
    lines,
    reads: () => reads,
    send,
    post: (events = CALL, secret = secrets.key) => {
      const { headers, body } = signedPost(events, secret, clock.epoch());
      return send(headers, body);
    },
    postJson: (body: unknown, id = `${sessionId}_1_1-4`) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return send(signatureHeaders(id, text, secrets.key, new Date(clock.epoch())), text);
    },
    get: (path: string, authorization = `Bearer ${secrets.token}`, accept = 'application/json') =>
      receiver.answer({ method: 'GET', path, headers: { authorization, accept }, body: Buffer.alloc(0) }),
  };
}

test('a posted transcript can be read', async (t) => {
  const store = new MemoryStore();
  const { post, get } = receiverWith(undefined, store);
  t.is((await post(CALL.slice(0, 2))).status, 204);
  t.is((await post(CALL.slice(2))).status, 204);
  t.deepEqual(
    [...store.objects.keys()],
    [`calls/contact-1/${sessionId}_1_1-2.json`, `calls/contact-1/${sessionId}_1_3-4.json`],
  );
  const { status, headers, body } = await get('/calls/contact-1');
  t.is(status, 200);
  t.like(headers, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  const { contactId, sessions } = JSON.parse(body);
  t.is(contactId, 'contact-1');
  t.deepEqual(
    sessions[0].lines.map(({ text }: { text: string }) => text),
    ['hello', 'good day'],
  );
  t.is(sessions[0].ended.outcome, 'completed');
  t.regex((await get('/calls/contact-1', undefined, 'text/plain')).body, /AGENT: hello\n.*CUSTOMER: good day\n/);
});

test('repeats and overlaps do no harm', async (t) => {
  const { post, get } = receiverWith();
  await post(CALL.slice(0, 3));
  await post(CALL.slice(0, 3));
  await post(CALL.slice(1));
  const { sessions } = JSON.parse((await get('/calls/contact-1')).body);
  t.is(sessions[0].lines.length, 2);
});

test('without a valid signature nothing is kept', async (t) => {
  const store = new MemoryStore();
  const { send, post, clock, lines } = receiverWith(undefined, store);
  const { headers, body } = signedPost(CALL, SECRET, clock.epoch());
  const refused = await send(headers, body.replace('hello', 'hellp'));
  t.is(refused.status, 401);
  t.deepEqual(await send({}, body), refused, 'the response does not say why');
  t.deepEqual(await post(CALL, `whsec_${randomBytes(32).toString('base64')}`), refused);
  clock.setEpoch(clock.epoch() + 301_000);
  t.deepEqual(await send(headers, body), refused);
  t.is(store.objects.size, 0);
  t.deepEqual(
    lines.map((line) => JSON.parse(line).fault),
    ['bad-signature', 'missing-signature', 'bad-signature', 'stale-signature'],
  );
});

test('the response to a wrong token does not depend on which calls exist', async (t) => {
  const { post, get } = receiverWith();
  await post();
  const refused = await get('/calls/contact-1', 'Bearer another-token');
  t.is(refused.status, 401);
  t.is(refused.headers['www-authenticate'], 'Bearer');
  for (const path of ['/calls/contact-1', '/calls/no-such-call', '/calls/%2e%2e', '/calls/%']) {
    for (const authorization of ['', 'Bearer', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`]) {
      t.deepEqual(await get(path, authorization), refused, `${path} ${authorization}`);
    }
  }
});

test('the id of a call cannot lead elsewhere', async (t) => {
  const lists: string[] = [];
  const store: Store = {
    ...new MemoryStore(),
    put: async () => {},
    get: async () => undefined,
    list: async (prefix) => {
      lists.push(prefix);
      return [];
    },
  };
  const { get } = receiverWith(undefined, store);
  for (const id of ['..', '.', '%2e%2e', '..%2Fsecret', '%2fetc', 'a%00b', 'a%5Cb', '%', 'x'.repeat(201), '%F0']) {
    t.is((await get(`/calls/${id}`)).status, 404, id);
  }
  t.deepEqual(lists, []);
  await get('/calls/contact%2D1');
  t.deepEqual(lists, ['calls/contact-1/']);
});

test('a signed request that is not ours to keep gets an answer that says so', async (t) => {
  const store = new MemoryStore();
  const { postJson, send } = receiverWith(undefined, store);
  const data = { contactId: 'contact-1', sessionId, events: [] };
  t.is((await postJson({ type: 'integratord.something-new' })).status, 204, 'a type of later versions');
  t.is((await postJson('not JSON with a word of the call')).status, 400);
  t.false((await postJson('not JSON with a word of the call')).body.includes('word'));
  t.is((await postJson({ type: 'integratord.events' })).status, 400);
  t.is((await postJson([])).status, 400);
  for (const contactId of ['../../x', '..', 'a/b', '']) {
    t.is((await postJson({ type: 'integratord.events', data: { ...data, contactId } })).status, 400, contactId);
  }
  t.is((await postJson({ type: 'integratord.events', data }, 'a/../b')).status, 400);
  t.is((await send({}, Buffer.alloc(MAX_BODY_BYTES + 1))).status, 413);
  t.is(store.objects.size, 0);
});

test('events of a newer daemon: what is not known is not missing, and does not hide the rest', async (t) => {
  const { postJson, get } = receiverWith();
  const common = { version: 1, contactId: 'contact-1', sessionId, epoch: 1, at: CALL[0]?.at };
  const numbers = (sequence: number) => ({ ...common, sequence, id: `${sessionId}_1_${sequence}` });
  const events = [
    CALL[0],
    { ...numbers(2), type: 'language.changed', to: 'de' },
    { ...common, type: 'speech.started', speaker: 'AGENT', atMs: 0 },
    { ...final('AGENT', 0, 'hello'), ...numbers(3), newField: 1 },
    { ...numbers(4), type: 'gap', startMs: 500, endMs: 600, cause: 'new-cause', channels: ['CUSTOMER'] },
    { ...numbers(5), type: 'gap', startMs: 700, endMs: 800, cause: 'missing', channels: ['SUPERVISOR'] },
    { ...ended(), ...numbers(6), outcome: 'transferred' },
  ];
  const request = { type: 'integratord.events', data: { contactId: 'contact-1', sessionId, events } };
  t.is((await postJson(request)).status, 204);
  const [session] = JSON.parse((await get('/calls/contact-1')).body).sessions;
  t.deepEqual(session.missing, []);
  t.deepEqual(session.ended, { outcome: 'transferred', reason: 'silence' });
  t.deepEqual(
    session.lines.map(({ text, cause }: { text?: string; cause?: string }) => text ?? cause),
    ['hello', 'new-cause'],
  );
});

test('what is not a request does not hide those that are', async (t) => {
  const store = new MemoryStore();
  const { post, get, lines } = receiverWith(undefined, store);
  await post(CALL.slice(0, 2));
  await post(CALL.slice(2, 3));
  await post(CALL.slice(3));
  // Of a machine that lost its power, and of S3's console.
  const empty = `calls/contact-1/${sessionId}_1_3-3.json`;
  store.objects.set(empty, Buffer.alloc(0));
  store.objects.set('calls/contact-1/', Buffer.alloc(0));
  store.objects.set('calls/contact-1/notes.json', Buffer.from('{"my":"notes"}'));
  const { status, body } = await get('/calls/contact-1');
  t.is(status, 200);
  const [{ missing, lines: spoken }] = JSON.parse(body).sessions;
  t.deepEqual(missing, [`${sessionId}_1_3`]);
  t.is(spoken[0].text, 'hello');
  const skipped = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'receiver.skipped');
  t.deepEqual(
    skipped.map(({ key, bytes }) => [key, bytes]),
    [
      [empty, 0],
      ['calls/contact-1/notes.json', 14],
    ],
  );
  store.objects.set('calls/contact-2/', Buffer.alloc(0));
  t.is((await get('/calls/contact-2')).status, 404);
});

test('other paths and methods are refused', async (t) => {
  const { get, send, clock } = receiverWith();
  for (const path of ['/', '/calls', '/calls/', '/calls/a/b']) t.is((await get(path)).status, 404, path);
  t.is((await get('/calls/no-such-call')).status, 404);
  const { headers, body } = signedPost(CALL, SECRET, clock.epoch());
  t.is((await send(headers, body, '/of/a/flow')).status, 204, 'the path of a webhook is the user’s');
});

test('changed secrets are used without a restart', async (t) => {
  const secrets = { key: SECRET, token: TOKEN };
  const { clock, post, get, reads } = receiverWith(secrets);
  await post();
  t.is((await get('/calls/contact-1')).status, 200);
  secrets.key = `whsec_${randomBytes(32).toString('base64')}`;
  secrets.token = 'a-new-token';
  t.is((await post()).status, 401);
  t.is(reads(), 1, 'a wrong signature does not make it read the secret again and again');
  clock.setEpoch(clock.epoch() + 30_000);
  t.is((await post()).status, 204);
  t.is((await get('/calls/contact-1')).status, 200);
  t.is((await get('/calls/contact-1', `Bearer ${TOKEN}`)).status, 401);
});

test('a failure of the store or a secret is an internal error, without a word of the call', async (t) => {
  const broken: Store = {
    ...new MemoryStore(),
    list: async () => [],
    get: async () => undefined,
    put: async () => {
      throw new Error('cannot write "hello"');
    },
  };
  const { post, lines } = receiverWith(undefined, broken);
  t.is((await post()).status, 500);
  t.true(lines.join('\n').includes('receiver.failed'));
  t.false(lines.join('\n').includes('hello'));
  const secrets = { key: 'whsec_', token: TOKEN };
  const { post: unsigned } = receiverWith(secrets);
  t.is((await unsigned(CALL, SECRET)).status, 500);
});
