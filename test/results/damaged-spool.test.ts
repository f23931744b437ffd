import test from 'ava';
import { finalOf, place, retry, STARTED, sessionOf, stateAt, TestSink } from './event-stage.ts';

const NEW = { isResumed: false };
const RESUMED = { isResumed: true };

/** What a process left that is killed after six frames, the last five with a final each, and its bytes. */
async function sixFrames() {
  const scene = place();
  const { clock, store, world } = scene;
  const sink = new TestSink();
  sink.answer = () => retry;
  const session = sessionOf();
  const log = await store([sink]).open(session, NEW);
  log.append(STARTED, stateAt(0));
  await clock.advance(70);
  const [name = ''] = world.folder?.files.keys() ?? [];
  const begins: number[] = [];
  for (let nth = 1; nth <= 5; nth++) {
    begins.push(world.folder?.files.get(name)?.length ?? 0);
    log.append(finalOf(nth), stateAt(nth));
    await clock.advance(70);
  }
  world.folder = world.folder?.afterCrash();
  const bytes = Buffer.from(world.folder?.files.get(name) ?? []);
  world.folder?.files.set(name, bytes);
  return { ...scene, session, name, bytes, begins: begins as [number, number, number, number, number] };
}

const DAMAGES = {
  'the last frame does not open': { spoil: (bytes: Buffer) => flip(bytes, bytes.length - 5), left: [1, 2, 3, 4, 5] },
  'the length of a frame is too large': {
    spoil: (bytes: Buffer, [, second]: readonly number[]) => flip(bytes, (second ?? 0) + 5),
    left: [1, 2, 4, 5, 6],
  },
  'the length of a frame is too small': {
    spoil: (bytes: Buffer, [, second]: readonly number[]) => bytes.writeUInt32BE(100, (second ?? 0) + 4),
    left: [1, 2, 4, 5, 6],
  },
  'a frame does not begin as one': {
    spoil: (bytes: Buffer, [, , third]: readonly number[]) => flip(bytes, third ?? 0),
    left: [1, 2, 3, 5, 6],
  },
  'bytes at the end are no frame': {
    spoil: (bytes: Buffer) => bytes.fill(0, bytes.length - 20),
    left: [1, 2, 3, 4, 5],
  },
} satisfies Record<string, { spoil: (bytes: Buffer, begins: readonly number[]) => unknown; left: number[] }>;

function flip(bytes: Buffer, at: number): void {
  bytes[at] = (bytes[at] as number) ^ 0x40;
}

for (const [what, { spoil, left }] of Object.entries(DAMAGES)) {
  test(`where ${what}, all others are read, and the session continues in the next epoch`, async (t) => {
    const { clock, store, recover, of, session, bytes, begins } = await sixFrames();
    spoil(bytes, begins);
    await recover();
    t.is(of('results.spool-unreadable').length, 1);
    t.is(of('results.spool-torn').length, 0);
    const sink = new TestSink();
    const again = await store([sink]).open(session, RESUMED);
    t.is(again.epoch, 2);
    await clock.advance(70);
    t.deepEqual(sink.sequences, left);
  });
}

test('a write that a crash tore is none that was sent: the session continues in its epoch', async (t) => {
  for (const kept of [2, 6, 9, 200]) {
    const { store, world, recover, of, session, name, bytes, begins } = await sixFrames();
    world.folder?.files.set(name, bytes.subarray(0, begins[4] + kept));
    await recover();
    t.is(of('results.spool-torn').length, 1);
    const again = await store([new TestSink()]).open(session, RESUMED);
    t.deepEqual([again.epoch, again.sequence], [1, 5]);
  }
});
