import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import type { StartRequest } from '../../daemon/contract/start-request.ts';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { DEEPGRAM_ROWS, FRAGMENT_MS, KINESIS_ROWS, type Row } from './fault-matrix.ts';
import { received } from './received.ts';
import { channel, Stage } from './stage.ts';

const test = anyTest as TestFn<{ stage: Stage }>;
const SECONDS = 12;
/** The default of REPLAY_MS plus 1 s. */
const REPEATED_MS = 7000;
const CUSTOMER = distinctSamples(SECONDS * 8000, 1);
const AGENT = distinctSamples(SECONDS * 8000, 2);

test.before(async (t) => {
  t.context = { stage: await Stage.open({ env: { CALL_END_GRACE_MS: '1500' } }) };
});
test.after.always((t) => t.context.stage.close());

/** Starts a call with the row's faults; another one, if the daemon was too busy for the first. */
async function start(t: ExecutionContext, stage: Stage, row: Row): Promise<StartRequest> {
  for (;;) {
    const stream = `stream-${randomUUID()}`;
    await stage.kinesis.addFaults(...(row.kinesis ?? []).map((rule) => ({ ...rule, stream })));
    const voices = { customer: bytesOf(CUSTOMER), agent: bytesOf(AGENT), fragmentMs: FRAGMENT_MS };
    const options = { ...row.call?.options, awaitsReader: true };
    const call = await stage.call({ ...voices, speed: 5, ...row.call, options }, stream);
    await stage.deepgram.addFaultsFor(call.contactId, ...(row.deepgram ?? []));
    const request = { ...call, dgParams: { ...call.dgParams, callback: 'http://127.0.0.1:9/' } };
    const { status, body } = await stage.start(request, { isLast: true });
    if (body['reason'] !== 'cut-off') {
      t.is(status, 200, JSON.stringify(body));
      return request;
    }
    // Part of its faults is used up.
    await stage.reachable();
  }
}

async function check(t: ExecutionContext<{ stage: Stage }>, row: Row): Promise<void> {
  const { stage } = t.context;
  const request = await start(t, stage, row);
  const ended = await stage.ended(request.contactId);
  t.is(ended['outcome'], row.outcome, JSON.stringify(ended));
  if (row.error) t.regex(String(ended['error']), row.error);
  if (row.reconnects !== undefined) t.is(ended['reconnects'], row.reconnects);
  const lines = stage.daemon.lines.filter(({ contactId }) => contactId === request.contactId);
  const events = lines.map(({ event }) => event);
  for (const event of row.reported) t.true(events.includes(event), `${event} is not among ${[...new Set(events)]}`);
  await stage.closed(request.contactId);
  const { audio, missingMs, agrees, twiceMs, runs } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.true(agrees);
  // Of what one connection got, Deepgram may have processed nothing: how much depends on the speed of the machine.
  const sentMs = runs.map(({ audio }) => audio.length / 32);
  t.true(
    twiceMs.every((ms, lost) => ms <= REPEATED_MS + (sentMs[lost] as number)),
    `twice: ${twiceMs}, sent: ${sentMs}`,
  );
  // A session that fails between two parts of a fragment does not know yet whose the first part is.
  const withheld = lines.filter(({ event, cause }) => event === 'audio.gap' && cause === 'withheld-at-end');
  const withheldMs = withheld.reduce((sum, { missingMs }) => sum + Number(missingMs), 0);
  if (row.outcome === 'completed') t.is(withheldMs, 0);
  compare(t, row, [channel(audio, 0), channel(audio, 1)], Number(ended['gapMs']) - withheldMs);
}

/** Number of silent frames; the call itself has none. */
function silentFrames([customer, agent]: readonly Int16Array[]): number {
  return customer?.filter((sample, at) => sample === 0 && agent?.[at] === 0).length ?? 0;
}

function compare(t: ExecutionContext, { arrives }: Row, heard: readonly Int16Array[], gapMs: number): void {
  const spoken = [CUSTOMER, AGENT];
  t.is(gapMs, silentFrames(heard) / 8, 'gaps are counted to the millisecond');
  for (const [index, samples] of heard.entries()) {
    const expected = spoken[index] as Int16Array;
    if (arrives === 'all') {
      t.is(difference(samples, expected), 'the same');
    } else if (arrives === 'nothing') {
      t.is(samples.length, 0);
    } else if (arrives === 'what came before') {
      // Missing audio is silent; all other samples are right and in place.
      const wrong = samples.findIndex((sample, at) => sample !== 0 && sample !== expected[at]);
      t.is(wrong, -1);
      t.true(samples.filter((sample) => sample !== 0).length > 2 * 8000);
    } else {
      const silent = expected.slice();
      for (const [fromMs, toMs] of arrives.silentMs) silent.fill(0, fromMs * 8, toMs * 8);
      t.is(difference(samples, silent), 'the same');
    }
  }
}

/** Rows in progress, a lane each: fifty starts in the same second are too many for a busy machine. */
const lanes = Array.from({ length: 12 }, () => Promise.resolve());
let rows = 0;

for (const [side, sides] of [
  ['Deepgram', DEEPGRAM_ROWS],
  ['Kinesis', KINESIS_ROWS],
] as const) {
  for (const row of sides) {
    const lane = rows++ % lanes.length;
    test(`${side}: ${row.fault}`, (t) => {
      const mine = Promise.resolve(lanes[lane]).then(() => check(t, row));
      lanes[lane] = mine.catch(() => {});
      return mine;
    });
  }
}

test('the table in README.md has every row', (t) => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  for (const { source, fault, outcome } of [...KINESIS_ROWS, ...DEEPGRAM_ROWS]) {
    const line = readme.split('\n').find((text) => text.includes(`| ${fault} |`));
    t.truthy(line, `no row says: ${fault}`);
    t.true(line?.includes(source) && line.includes(outcome), `${fault}: ${line}`);
  }
});
