import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StartRequest } from '../../daemon/contract/start-request.ts';
import { bytesOf } from '../audio/tracks.ts';
import { faultsOfCall, faultsOfOrder, numberedOf } from '../results/sample-call-events.ts';
import { CALL } from '../simulators/deepgram/call-audio.ts';
import type { Fault } from '../simulators/deepgram/faults.ts';
import { WebhookControl } from '../simulators/webhook/client.ts';
import { Program } from '../support/process.ts';
import { randomFrom } from '../support/random.ts';
import { Relay } from '../support/relay.ts';
import { Stage } from './stage.ts';

/** How Deepgram may behave: facts that are not proven. */
export const READINGS = {
  exact: { deepgramArgs: [], withinMs: 20 },
  shifted: { deepgramArgs: ['--word-shift-ms', '200'], withinMs: 220 },
  'no-silence-finals': { deepgramArgs: ['--no-silence-finals'], withinMs: 20 },
  /** Most connections give no finals at all before they end: what they were sent is read again from Kinesis. */
  stalled: { deepgramArgs: [], withinMs: 20 },
} as const;
export type Reading = keyof typeof READINGS;

/** What happens to a call, in ms of the call. */
interface Troubles {
  /** Deepgram's breaks, and the kill between two of them. */
  readonly breaksMs: readonly number[];
  readonly killMs: number;
  /** The consumer refuses connections from here on, for AWAY_MS. */
  readonly awayMs: number;
  /** The consumer answers with errors, or not at all, from here on. */
  readonly failingMs: number;
}

interface TroubledCall {
  readonly seed: number;
  readonly reading: Reading;
  /** Of the call, relative to real time; the consumer's time-outs and the daemon's backoff are in real time. */
  readonly speed: number;
  /** The sample call is repeated until it is this long. */
  readonly minutes: number;
}

export interface TroubledOutcome {
  readonly troubles: Troubles;
  /** Empty if the consumer has every word once, in order and in time. */
  readonly faults: readonly string[];
  readonly finals: number;
  readonly words: number;
  /** How often an event arrived that the consumer already had. */
  readonly repeats: number;
  /** Requests to the consumer, and those that it failed. */
  readonly requests: number;
  readonly failed: number;
}

const SECRET = `whsec_${Buffer.alloc(32, 'troubles').toString('base64')}`;
const BREAKS = 5;
const AWAY_MS = 180_000;
/** Between two connections' ends: so that each has some audio. */
const LEAST_APART_MS = 3000;
const LAST_SECONDS_MS = 30_000;
/** Kinesis keeps five minutes; speech that has no final for longer is a gap. */
const LONGEST_STALL_MS = 240_000;
const POLL_MS = 100;
/** For what is left after the call: the longest backoff twice, and a busy machine. */
const PATIENCE_MS = 180_000;
/** Statuses and time-outs of a consumer in trouble: with some, only the answer is lost. */
const FAILURES = [
  { times: 4, status: 500 },
  { times: 2, status: 429, headers: { 'retry-after': '2' } },
  { times: 1, hangs: true },
  { times: 1, hangs: true, accepts: true },
  { times: 1, resets: true, accepts: true },
];
const BREAKING = [
  (afterMs: number): Fault => ({ closeAfterMs: afterMs, code: 1011, reason: 'NET-0000' }),
  (afterMs: number): Fault => ({ closeAfterMs: afterMs, code: 1012, reason: '' }),
  (afterMs: number): Fault => ({ resetAfterMs: afterMs }),
] as const;

/** Plays a call with random troubles, and says what its consumer got. */
export async function playTroubledCall({ seed, reading, speed, minutes }: TroubledCall): Promise<TroubledOutcome> {
  const { deepgramArgs, withinMs } = READINGS[reading];
  const times = Math.ceil((minutes * 60_000) / CALL.durationMs);
  const lengthMs = times * CALL.durationMs;
  const random = randomFrom(seed);
  const troubles = troublesOf(random, lengthMs);
  await using cleanup = new AsyncDisposableStack();
  const stateDir = await mkdtemp(join(tmpdir(), 'integratord-troubles-'));
  cleanup.defer(() => rm(stateDir, { recursive: true, force: true }));
  const consumer = new Program('test/simulators/webhook/main.ts', ['--secret', SECRET]);
  cleanup.defer(async () => void (await consumer.stop('SIGKILL')));
  const webhook = new WebhookControl(await consumer.listening());
  const road = await Relay.to(webhook.url);
  cleanup.defer(() => road.close());
  const stage = await Stage.open({
    env: {
      STATE_DIR: stateDir,
      RESULTS_WEBHOOK: `${road.url}/calls/{contact-id}`,
      RESULTS_SECRET: SECRET,
      RESULTS_ALLOW_LOCAL: 'on',
      // Only troubles of our own: on a busy machine the simulator may pause.
      CALL_END_GRACE_MS: '5000',
    },
    deepgramArgs,
  });
  cleanup.defer(() => stage.close());
  const voices = { customer: bytesOf(CALL.customer), agent: bytesOf(CALL.agent), times };
  const call = await stage.call({ ...voices, speed });
  const connection = connectionsOf(troubles, random, reading === 'stalled');
  await stage.deepgram.addFaultsFor(call.contactId, ...connection.faults);
  await startPatiently(stage, call);
  const deadlineAtMs = Date.now() + lengthMs / speed + PATIENCE_MS;
  const killing = killIn(stage, call.contactId, { ...connection.killed, deadlineAtMs });
  const troubled = Promise.all([
    killing,
    goAway(stage, call.contactId, { road, fromMs: troubles.awayMs, untilMs: troubles.awayMs + AWAY_MS }),
    stage.kinesisHas(call.contactId, troubles.failingMs).then(() => webhook.setRules(...FAILURES)),
  ]);
  await troubled;
  const received = await untilEnded(webhook, deadlineAtMs + PATIENCE_MS);
  const events = numberedOf(received);
  const requests = await webhook.requests();
  const connections = await stage.deepgram.connectionsTagged(call.contactId);
  const faults = [...faultsOfOrder(received), ...faultsOfCall(events, { withinMs, times })];
  // On a machine so busy that handshakes time out, breaks and the kill may miss their connections.
  if (!(await killing)) faults.push('the daemon was not killed: its connection was another one');
  // A break that did not happen proves nothing.
  if (connections.length !== BREAKS + 2) faults.push(`${connections.length} connections to Deepgram`);
  for (const status of [500, 429, 0])
    if (!requests.some((request) => request.status === status)) faults.push(`no request was answered ${status}`);
  const finals = events.flatMap((event) => (event.type === 'transcript' ? [event] : []));
  return {
    troubles,
    faults,
    finals: finals.length,
    words: finals.flatMap((final) => final.words).length,
    repeats: received.filter((event) => 'sequence' in event).length - events.length,
    requests: requests.length,
    failed: requests.filter(({ status }) => status !== 200).length,
  };
}

function troublesOf(random: () => number, lengthMs: number): Troubles {
  const latestMs = lengthMs - LAST_SECONDS_MS;
  const moment = (untilMs: number) => Math.round(LEAST_APART_MS + random() * (untilMs - LEAST_APART_MS));
  const draw = () => Array.from({ length: BREAKS + 1 }, () => moment(latestMs)).toSorted((a, b) => a - b);
  const isApart = (cuts: readonly number[]) => cuts.every((ms, nth) => ms - (cuts[nth - 1] ?? 0) >= LEAST_APART_MS);
  let cuts = draw();
  while (!isApart(cuts)) cuts = draw();
  const [killMs = 0] = cuts.splice(Math.floor(random() * cuts.length), 1);
  const [awayMs, failingMs] = [moment(latestMs - AWAY_MS), moment(latestMs - AWAY_MS)];
  return { breaksMs: cuts, killMs, awayMs, failingMs };
}

/** How each connection to Deepgram ends but the last, and which of them ends with its daemon, after how much audio. */
function connectionsOf({ breaksMs, killMs }: Troubles, random: () => number, stalls: boolean) {
  const cuts = [...breaksMs, killMs].toSorted((a, b) => a - b);
  const at = cuts.indexOf(killMs);
  const faults = cuts.map((ms, nth): Fault => {
    const breaking = BREAKING[Math.floor(random() * BREAKING.length)] as (typeof BREAKING)[number];
    const afterMs = ms - (cuts[nth - 1] ?? 0);
    const finals = !(stalls && afterMs < LONGEST_STALL_MS && random() < 0.7);
    return { ...(nth === at ? ({ none: true } as const) : breaking(afterMs)), finals };
  });
  return { faults, killed: { at, afterMs: killMs - (cuts[at - 1] ?? 0) } };
}

/** As the trigger does: on a busy machine even the simulators may not answer in time. */
async function startPatiently(stage: Stage, call: StartRequest): Promise<void> {
  for (const deadlineAtMs = Date.now() + PATIENCE_MS; ; ) {
    const started = await stage.start(call);
    if (started.status === 200) return;
    const mayTryAgain = started.body['retryable'] === true && Date.now() < deadlineAtMs;
    if (!mayTryAgain) throw new Error(`not started: ${JSON.stringify(started.body)}`);
    await sleep(POLL_MS);
  }
}

/** Kills the daemon once this connection has so much audio; false if it never comes so far. */
async function killIn(
  stage: Stage,
  contactId: string,
  { at, afterMs, deadlineAtMs }: { at: number; afterMs: number; deadlineAtMs: number },
): Promise<boolean> {
  for (;;) {
    const connection = (await stage.deepgram.connectionsTagged(contactId))[at];
    if (connection && connection.bytes >= afterMs * 32) break;
    if (Date.now() > deadlineAtMs) return false;
    await sleep(POLL_MS);
  }
  await stage.crash();
  return true;
}

async function goAway(
  stage: Stage,
  contactId: string,
  { road, fromMs, untilMs }: { road: Relay; fromMs: number; untilMs: number },
): Promise<void> {
  await stage.kinesisHas(contactId, fromMs);
  road.cut();
  await stage.kinesisHas(contactId, untilMs);
  road.restore();
}

/** All that the consumer has accepted once it has `session.ended`, or at the deadline. */
async function untilEnded(webhook: WebhookControl, deadlineAtMs: number) {
  for (;;) {
    const received = await webhook.events();
    if (numberedOf(received).at(-1)?.type === 'session.ended' || Date.now() > deadlineAtMs) return received;
    await sleep(POLL_MS);
  }
}
