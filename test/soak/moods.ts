import { randomFrom } from '../support/random.ts';

/** What a Deepgram of the worst kind does with one handshake and the connection that follows. */
export interface Mood {
  /** Undefined: the handshake is accepted. */
  readonly refusal: Refusal | 'reset' | 'hang' | undefined;
  /** How late the handshake is answered. */
  readonly handshakeMs: number;
  readonly pongMs: number | 'never';
  /** Sends unsolicited pongs. */
  readonly pongsUnasked: boolean;
  /** Whether it reads only as much as it processes, or everything. */
  readonly reads: 'paced' | 'buffered';
  /** How long after it opened the connection is lost, and how: with a close code, or without a close frame. */
  readonly lifeMs: number;
  readonly loss: number | 'reset' | 'fin' | 'half-open';
  /** How it ends after CloseStream; the first one of a call may lack Metadata. */
  readonly end: number | 'reset' | 'fin';
  readonly metadata: boolean;
}

interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const PAGE = '<html><body>Bad gateway</body></html>';
const REFUSALS: readonly Refusal[] = [
  { status: 429, headers: { 'retry-after': '1', 'dg-error': 'Too many requests' }, body: '' },
  { status: 503, headers: { 'retry-after': '2' }, body: '' },
  { status: 502, headers: { 'content-type': 'text/html' }, body: PAGE },
  { status: 500, headers: {}, body: '' },
  { status: 403, headers: { 'content-type': 'text/html' }, body: PAGE },
  { status: 404, headers: {}, body: '' },
  { status: 408, headers: {}, body: '' },
  { status: 200, headers: { 'content-type': 'text/html' }, body: PAGE },
];
const LOSSES = [1000, 1001, 1008, 1011, 1011, 1012, 1013, 4000, 'reset', 'reset', 'fin', 'half-open'] as const;
const ENDS = [1000, 1000, 1000, 1001, 1011, 4000, 'reset', 'fin'] as const;
/** Longest delay of a start's handshake: its caller waits for 6 s. */
const LONGEST_FIRST_MS = 3000;
const LONGEST_HANDSHAKE_MS = 9000;
/**
 * Each reconnect repeats REPLAY_MS and a second, and an outage adds to the backlog: at 1.25 x real time, lines that
 * live for much less can never catch up.
 */
const MEAN_LIFE_MS = 120_000;
const LONGEST_PONG_MS = 10_000;
/** How long a line stays silent before it breaks: on loopback, TCP acknowledges up to a minute of audio that nothing reads. */
export const LONGEST_SILENCE_MS = 20_000;

/** The mood for a call's handshake, counted from 0: the same for the same seed. */
export function moodFor({ seed, call, handshakes }: { seed: number; call: number; handshakes: number }): Mood {
  return moodOf(randomFrom((seed * 1_000_003 + call * 7919 + handshakes * 104_729) | 0), handshakes === 0);
}

/** @param isFirst of its call: that one is not refused, because a start does not wait for the next attempt */
export function moodOf(random: () => number, isFirst: boolean): Mood {
  const chance = (share: number) => random() < share;
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const isRefused = chance(0.25) && !isFirst;
  const refusal = pick([...REFUSALS, 'reset', 'hang'] as const);
  const handshakeMs = chance(0.2) ? random() * (isFirst ? LONGEST_FIRST_MS : LONGEST_HANDSHAKE_MS) : 0;
  return {
    refusal: isRefused ? refusal : undefined,
    handshakeMs,
    pongMs: pick([0, 0, 200, random() * LONGEST_PONG_MS, 'never'] as const),
    pongsUnasked: chance(0.1),
    reads: pick(['paced', 'buffered'] as const),
    lifeMs: -Math.log(1 - random()) * MEAN_LIFE_MS,
    loss: pick(LOSSES),
    end: pick(ENDS),
    metadata: chance(0.7),
  };
}
