/** Sessions of this process between the simulators of Kinesis Video and Deepgram, whose results become events. */
import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { CheckpointSource, Checkpoints } from '../../daemon/checkpoints/checkpoints.ts';
import type { StartRequest } from '../../daemon/contract/start-request.ts';
import { connectKinesis } from '../../daemon/kinesis/client.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import type { SessionDeps } from '../../daemon/session/deps.ts';
import type { SessionSeed } from '../../daemon/session/seed.ts';
import { Session } from '../../daemon/session/session.ts';
import { bytesOf } from '../audio/tracks.ts';
import { faultsOfCall } from '../results/sample-call-events.ts';
import { CALL } from '../simulators/deepgram/call-audio.ts';
import { DeepgramControl } from '../simulators/deepgram/client.ts';
import type { Fault } from '../simulators/deepgram/faults.ts';
import { KinesisVideoControl } from '../simulators/kinesis-video/client.ts';
import { Program } from '../support/process.ts';
import { RecordedEvents } from '../support/recorded-events.ts';
import { recordedLog } from '../support/recorded-log.ts';

const API_KEY = 'key-of-the-relayed-call';
const SPEED = 6;

const kinesisSimulator = new Program('test/simulators/kinesis-video/main.ts');
let kinesisUrl = '';

test.before(async () => {
  kinesisUrl = await kinesisSimulator.listening();
  // The SDK reads them.
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-relayed-call',
    AWS_ENDPOINT_URL_KINESIS_VIDEO: kinesisUrl,
  });
});
test.after.always(() => Promise.all([kinesisSimulator, ...deepgrams.values()].map((each) => each.stop('SIGKILL'))));

/** The simulators of Deepgram by their arguments. A session has its own connections and faults there, by its tag. */
const deepgrams = new Map<string, Program>();

/** The URL of the simulator with these arguments. */
function deepgramWith(args: readonly string[]): Promise<string> {
  const key = args.join(' ');
  const simulator =
    deepgrams.get(key) ??
    new Program('test/simulators/deepgram/main.ts', ['--api-key', API_KEY, '--rate', 'off', ...args]);
  deepgrams.set(key, simulator);
  return simulator.listening();
}

interface Scene {
  readonly deepgramArgs?: readonly string[];
  readonly faults?: readonly Fault[];
  /** How often the sample call is played in a row, and how fast. */
  readonly times?: number;
  readonly speed?: number;
  readonly request?: Partial<StartRequest>;
}

/** What a checkpoint would hold. */
class LastCheckpoint {
  source: CheckpointSource | undefined;
  readonly #frozen = new Set<CheckpointSource>();

  readonly checkpoints = {
    track: (source: CheckpointSource) => {
      this.source = source;
    },
    settled: async () => {},
    changed: () => {},
    freeze: () => {},
  } as unknown as Checkpoints;

  get checkpoint() {
    if (!this.source || this.#frozen.has(this.source)) throw new Error('no checkpoint');
    const { sessionId, traceId, request, timeZeroEpochMs } = this.source;
    return { sessionId, traceId, request, timeZeroEpochMs, savedAtEpochMs: Date.now(), ...this.source.resumePoint() };
  }
}

async function opened(
  t: ExecutionContext,
  { deepgramArgs = [], faults = [], times = 1, speed = SPEED, request = {} }: Scene = {},
) {
  const deepgramUrl = await deepgramWith(deepgramArgs);
  const timers = new TimerWheel(systemClock);
  const kinesis = connectKinesis('us-east-1', systemClock, timers);
  t.teardown(() => kinesis.close());
  const control = new KinesisVideoControl(kinesisUrl);
  const contactId = randomUUID();
  const stream = `stream-${contactId}`;
  await control.putStream(stream, {});
  const tracks = { customer: bytesOf(CALL.customer), agent: bytesOf(CALL.agent) };
  const started = await control.startCall(stream, { ...tracks, times, speed, contactId });
  const deepgram = new DeepgramControl(deepgramUrl);
  await deepgram.addFaultsFor(contactId, ...faults);
  const checkpoint = new LastCheckpoint();
  let events = new RecordedEvents();
  const log = recordedLog();
  const deps: SessionDeps = {
    kinesis,
    deepgram: {
      baseUrl: deepgramUrl.replace('http', 'ws'),
      key: { current: API_KEY } as SessionDeps['deepgram']['key'],
    },
    clock: systemClock,
    timers,
    log: log.log,
    metrics: new SessionMetrics(),
    random: Math.random,
    checkpoints: checkpoint.checkpoints,
    results: { openEvents: async ({ request: { dgParams } }) => (dgParams['callback'] ? undefined : events) },
    settings: {
      alignWaitMs: 1000,
      replayMs: 6000,
      deepgramGiveUpMs: 60_000,
      rotateAfterMs: 2_400_000,
      callEndGraceMs: 2000,
    },
  };
  const { streamArn: arn, startFragmentNumber, startTimestamp } = started;
  const seed: SessionSeed = {
    kind: 'new',
    sessionId: randomUUID(),
    traceId: '0af7651916cd43dd8448eb211c80319c' as never,
    timeZeroEpochMs: Date.now(),
    request: {
      contactId,
      kvsStream: { arn, startFragmentNumber, startTimestamp },
      dgParams: { model: 'nova-3', tag: contactId },
      enforceRealtime: false,
      ...request,
    },
  };
  const start = (from: SessionSeed = seed) => Session.start(from, deps, AbortSignal.timeout(10_000));
  const until = async (callMs: number) => {
    const hasCome = async () =>
      (await deepgram.connectionsTagged(contactId)).some(({ bytes, open }) => open && bytes >= callMs * 32);
    while (!(await hasCome())) await systemClock.sleep(20);
  };
  const connections = () => deepgram.connectionsTagged(contactId);
  /** The process dies: the session's later events are not seen. */
  const crash = async (session: Session) => {
    const resumed = { kind: 'resumed', checkpoint: checkpoint.checkpoint } as const;
    const seen = events.numbered.length;
    const after = new RecordedEvents(1, structuredClone(events.state));
    after.numbered.push(...events.numbered.slice(0, seen));
    events = after;
    session.stop({ continues: true });
    await session.ended;
    return start(resumed);
  };
  return { start, crash, until, connections, log, events: () => events };
}

const BREAKS: readonly Fault[] = [
  { closeAfterMs: 9300, code: 1011, reason: 'NET-0000' },
  { resetAfterMs: 8700 },
  { closeAfterMs: 4100, code: 1012, reason: '' },
  { resetAfterMs: 9900 },
];

for (const [reading, deepgramArgs, withinMs] of [
  ['exact word times', [], 20],
  ['shifted word times', ['--word-shift-ms', '200'], 220],
  ['no finals for silence', ['--no-silence-finals'], 20],
] as const) {
  test(`every word comes once over four breaks: ${reading}`, async (t) => {
    const { start, events, connections } = await opened(t, { deepgramArgs, faults: BREAKS });
    const session = await start();
    t.like(await session.ended, { name: 'completed' });
    t.is((await connections()).length, 5);
    t.deepEqual(faultsOfCall(events().numbered, { withinMs }), []);
    t.false(events().numbered.some(({ type }) => type === 'gap'));
    await session.delivered();
    t.true(events().isDrained);
  });
}

/** At most two minutes of a call are kept here. */
const LONG = { times: Math.ceil(160_000 / CALL.durationMs), speed: 24 };

for (const [when, faults] of [
  ['in the call', [{ closeAfterMs: 150_000, code: 1011, reason: 'NET-0000', finals: false }]],
  ['after CloseStream', [{ none: true, finals: false, end: 'reset', metadata: false }]],
  [
    'twice',
    [
      { resetAfterMs: 140_000, finals: false },
      { closeAfterMs: 150_000, code: 1011, reason: 'NET-0000', finals: false },
    ],
  ],
] satisfies [string, Fault[]][]) {
  for (const deepgramArgs of [[], ['--no-silence-finals']]) {
    const reading = deepgramArgs.length > 0 ? ', no finals for silence' : '';
    test(`what lacks finals for longer than it is kept is read again: lost ${when}${reading}`, async (t) => {
      const { start, events, connections, log } = await opened(t, { ...LONG, deepgramArgs, faults });
      const session = await start();
      t.like(await session.ended, { name: 'completed' });
      t.is((await connections()).length, faults.length + 1);
      t.is(log.of('audio.reread').length, faults.length);
      t.deepEqual(faultsOfCall(events().numbered, { withinMs: 20, times: LONG.times }), []);
      t.deepEqual(
        events().numbered.filter(({ type }) => type === 'gap'),
        [],
      );
    });
  }
}

test('every word comes once over a crash between two breaks', async (t) => {
  const { start, crash, until, events } = await opened(t, { faults: BREAKS.slice(0, 2) });
  const session = await start();
  await until(7000);
  const resumed = await crash(session);
  t.like(await resumed.ended, { name: 'completed' });
  t.deepEqual(faultsOfCall(events().numbered, { withinMs: 20 }), []);
});

test('a session that is stopped for another to continue says that it was interrupted', async (t) => {
  const { start, until, events } = await opened(t);
  const session = await start();
  await until(7000);
  session.stop({ continues: true });
  await session.ended;
  await session.delivered();
  t.true(events().finals.length > 0);
  t.like(events().numbered.at(-1), { type: 'session.ended', outcome: 'failed', reason: 'interrupted' });
});

test('a session with a callback has no events and no relay', async (t) => {
  const callback = 'http://127.0.0.1:9/';
  const dgParams = { model: 'nova-3', callback };
  const { start, events } = await opened(t, { request: { dgParams } });
  const session = await start();
  session.stop();
  await session.ended;
  t.is(events().sequence, 0);
});
