/**
 * Preloaded into a daemon, this does the least that any relay of ours does with a final: the SDK reads Deepgram's message,
 * and undici posts it, signed, together with those of other calls in the same 50 ms. Nothing is aligned, numbered, kept on
 * a disk, ordered, tried again or counted. A load run shows by it what no relay can save (`--least`).
 */
import { generateKeySync } from 'node:crypto';
import { Pool } from 'undici';
import { AGENT, type Channel, CUSTOMER } from '../../daemon/contract/audio-format.ts';
import { Results } from '../../daemon/results/results.ts';
import { signatureHeaders } from '../../daemon/results/webhook/standard-webhooks.ts';
import { identityOf } from '../../daemon/session/seed.ts';
import { Transcript } from '../../daemon/session/transcript.ts';

/** A Results message. */
interface ResultsMessage {
  readonly type: string;
  readonly channel_index: readonly [Channel];
  readonly start: number;
  readonly duration: number;
  readonly channel: {
    readonly alternatives: readonly [{ readonly transcript: string; readonly words: readonly unknown[] }];
  };
}

interface LeastRelay {
  readonly session: { readonly contactId: string; readonly sessionId: string };
  readonly webhook: URL;
  readonly finalMs: [number, number];
  posted: number;
}

const MOST_SOCKETS = 256;
/** As the spool does: a thread that wakes for each takes more CPU. */
const POST_EVERY_MS = 50;
// The consumer refuses the signature, which costs the daemon the same.
const KEY = generateKeySync('hmac', { length: 256 });
const relays = new WeakMap<Transcript, LeastRelay>();
let pool: Pool | undefined;
let unanswered = 0;
const waiting: (() => void)[] = [];

const { open } = Transcript;
const { take } = Transcript.prototype;
const finalMs = Object.getOwnPropertyDescriptor(Transcript.prototype, 'finalMs')?.get as () => readonly [
  number,
  number,
];

Transcript.open = async (seed, results, log) => {
  const transcript = await open.call(Transcript, seed, results, log);
  const { sessionId, request } = identityOf(seed);
  const { contactId } = request;
  const url = request.results?.webhook?.replace('{contact-id}', contactId);
  if (transcript && url) {
    relays.set(transcript, { session: { contactId, sessionId }, webhook: new URL(url), finalMs: [0, 0], posted: 0 });
  }
  return transcript;
};

Transcript.prototype.take = function (this: Transcript, message, offsetMs, connection) {
  const relay = relays.get(this);
  const results = message as ResultsMessage;
  if (relay && results.type === 'Results') postSoon(relay, results);
  else take.call(this, message, offsetMs, connection);
};

Object.defineProperty(Transcript.prototype, 'finalMs', {
  get(this: Transcript) {
    const [customer, agent] = finalMs.call(this);
    const [customerMs, agentMs] = relays.get(this)?.finalMs ?? [0, 0];
    return [Math.max(customer, customerMs), Math.max(agent, agentMs)];
  },
});

const backlog = Object.getOwnPropertyDescriptor(Results.prototype, 'backlog')?.get as () => Results['backlog'];
// A load run waits for it before it counts.
Object.defineProperty(Results.prototype, 'backlog', {
  get(this: Results) {
    const { events, ...rest } = backlog.call(this);
    return { events: events + unanswered, ...rest };
  },
});

function postSoon(relay: LeastRelay, deepgram: ResultsMessage): void {
  const [channel] = deepgram.channel_index;
  const [{ words }] = deepgram.channel.alternatives;
  if (words.length === 0 || (channel !== CUSTOMER && channel !== AGENT)) return;
  relay.finalMs[channel] = Math.round((deepgram.start + deepgram.duration) * 1000);
  unanswered++;
  waiting.push(() => post(relay, deepgram));
  if (waiting.length > 1) return;
  setTimeout(() => {
    for (const send of waiting.splice(0)) send();
  }, POST_EVERY_MS);
}

function post(relay: LeastRelay, deepgram: ResultsMessage): void {
  const { session, webhook } = relay;
  const [{ transcript: text, words }] = deepgram.channel.alternatives;
  const id = `${session.sessionId}_${++relay.posted}`;
  const nowMs = Date.now();
  const final = { type: 'transcript', ...session, at: new Date(nowMs).toISOString(), id, text, words, deepgram };
  const body = Buffer.from(JSON.stringify({ data: { ...session, events: [] }, final }));
  const headers = { 'content-type': 'application/json', ...signatureHeaders(id, body, [KEY], nowMs) };
  pool ??= new Pool(webhook.origin, { connections: MOST_SOCKETS, pipelining: 1, allowH2: false });
  pool.dispatch(
    { path: webhook.pathname, method: 'POST', headers, body },
    {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData() {},
      onResponseEnd() {
        unanswered--;
      },
      onResponseError(_controller, error) {
        throw error;
      },
    },
  );
}
