import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import test from 'ava';
import { loadSampleCall } from '../fixtures/sample-call/read.ts';
import { Program } from '../support/process.ts';
import { losesAudio } from './lossy-deepgram.ts';
import { allGone, childrenOf } from './processes.ts';
import { RunningDemo } from './running-demo.ts';

/** The call lasts 2 s. */
const ONCE = ['--once', '--speed', '20'];
/** The call lasts 10 s: long enough to be interrupted. */
const SLOWER = ['--speed', '4'];
const TIMEOUT_MS = 180_000;
const KEY = 'a-key-of-ours';
const PHRASES = loadSampleCall().phrases;

/** A Deepgram that is not the demo's own, like the real one. */
const foreignDeepgram = new Program('test/simulators/deepgram/main.ts', ['--api-key', KEY, '--rate', 'off']);
test.after.always(() => foreignDeepgram.stop());

/** Transcript lines without call number and time. */
function saidIn({ stdout }: RunningDemo): string[] {
  return [...stdout.matchAll(/^#\d+ +\d+:\d\d {2}(.*)$/gm)].map(([, line]) => line as string);
}

const SCRIPT = PHRASES.map(({ speaker, text }) => `${speaker.padEnd(8)}  ${text}`).sort();

test('with --once, both sides of each call are printed and exit code 0 means that nothing is missing', async (t) => {
  t.timeout(TIMEOUT_MS);
  const demo = new RunningDemo(t, [...ONCE, '--calls', '2']);
  t.is(await demo.exited, 0, demo.stderr);
  t.deepEqual(saidIn(demo).sort(), [...SCRIPT, ...SCRIPT].sort());
  for (const call of [1, 2]) {
    t.regex(demo.stdout, new RegExp(`^Call ${call} ended: 0:42 of audio, gaps 0 ms\\.$`, 'm'));
  }
  t.is(demo.stdout.match(/All 16 phrases arrived, each for its speaker\./g)?.length, 2);
  t.deepEqual(readdirSync(demo.directory), []);
});

test('Deepgram breaks and integratord is killed, each in mid-sentence, and no word is missing or twice', async (t) => {
  t.timeout(TIMEOUT_MS);
  const demo = new RunningDemo(t, ['--once', '--speed', '3', '--break']);
  t.is(await demo.exited, 0, demo.stdout + demo.stderr);
  const broken = demo.stdout.search(/^#1 .*Deepgram's connection is broken in mid-sentence/m);
  const killed = demo.stdout.search(/^#1 .*integratord is killed \(kill -9\) in mid-sentence/m);
  t.true(broken > 0 && killed > broken, demo.stdout);
  t.regex(demo.stdout.slice(killed), /^Call 1: the session resumes$/m);
  t.deepEqual(
    saidIn(demo)
      .filter((line) => !line.startsWith('---'))
      .sort(),
    SCRIPT,
  );
  t.regex(demo.stdout, /although it was broken in mid-sentence\.\n {2}Not a word is missing, and none came twice\.\n$/);
  t.deepEqual(readdirSync(demo.directory), []);
});

test("with a key, the same path leads through a Deepgram that is not the demo's", async (t) => {
  t.timeout(TIMEOUT_MS);
  const demo = new RunningDemo(t, ONCE, { DEEPGRAM_API: await foreignDeepgram.listening(), DEEPGRAM_API_KEY: KEY });
  t.is(await demo.exited, 0, demo.stderr);
  t.deepEqual(
    saidIn(demo),
    PHRASES.map(({ speaker, text }) => `${speaker.padEnd(8)}  ${text}`),
  );
  t.regex(demo.stdout, /half of its words/);
});

test('words that Deepgram never received are named, and the exit code is 1', async (t) => {
  t.timeout(TIMEOUT_MS);
  const lost = PHRASES[6] as (typeof PHRASES)[number];
  const lossy = await losesAudio(await foreignDeepgram.listening(), lost.startMs, lost.endMs);
  t.teardown(() => lossy.close());
  const demo = new RunningDemo(t, ONCE, { DEEPGRAM_API: lossy.url, DEEPGRAM_API_KEY: KEY });
  t.is(await demo.exited, 1, demo.stderr);
  t.true(demo.stdout.endsWith(`  1 of 16 phrases are missing:\n    ${lost.speaker}: ${lost.text}\n`), demo.stdout);
});

test('of a call that Deepgram refuses, only the reason is printed, and the exit code is 1', async (t) => {
  t.timeout(TIMEOUT_MS);
  const demo = new RunningDemo(t, ONCE, {
    DEEPGRAM_API: await foreignDeepgram.listening(),
    DEEPGRAM_API_KEY: 'another-key',
  });
  t.is(await demo.exited, 1, demo.stderr);
  t.regex(demo.stdout, /^Call 1 was refused: deepgram-refused: .*Invalid credentials\.\n$/m);
  t.false(demo.stdout.includes('missing'), demo.stdout);
  t.is(demo.stderr, '');
});

/** A demo starts six processes at once: with too many demos, calls would time out. */
const inTurn = test.serial;

for (const [args, code] of [
  [['--once'], 130],
  [[], 0],
] as const) {
  inTurn(`Ctrl-C during a call ends all processes (${args.join(' ') || 'without --once'})`, async (t) => {
    t.timeout(TIMEOUT_MS);
    const demo = new RunningDemo(t, [...SLOWER, ...args]);
    await demo.says(/agent {5}Thank you for calling/);
    const children = childrenOf(demo.pid);
    t.is(children.length, 4);
    demo.interrupt();
    t.is(await demo.exited, code, demo.stderr);
    await allGone(children);
    t.is(demo.stderr, '');
    t.true(demo.stdout.endsWith('\nStopped with Ctrl-C.\n'), demo.stdout);
    t.deepEqual(readdirSync(demo.directory), []);
  });
}

inTurn('when the demo is killed, its processes end too', async (t) => {
  t.timeout(TIMEOUT_MS);
  const demo = new RunningDemo(t, []);
  await demo.says(/Call 1: the session runs/);
  const children = childrenOf(demo.pid);
  t.is(children.length, 4);
  demo.signal('SIGKILL');
  await allGone(children);
  t.pass();
});

inTurn('when a process of the demo dies, it is named and nothing is left behind', async (t) => {
  t.timeout(TIMEOUT_MS);
  const demo = new RunningDemo(t, []);
  await demo.says(/Call 1: the session runs/);
  const children = childrenOf(demo.pid);
  const daemon = children.find(({ commandLine }) => /\bdaemon\/main\.[jt]s/.test(commandLine));
  process.kill(daemon?.pid as number, 'SIGKILL');
  t.is(await demo.exited, 1);
  t.regex(demo.stderr, /^demo: integratord ended \(killed by a signal\)\./);
  await allGone(children);
  t.deepEqual(readdirSync(demo.directory), []);
});

inTurn('when a process does not start, the demo says which one and why', async (t) => {
  t.timeout(TIMEOUT_MS);
  const demo = new RunningDemo(t, [], { DEEPGRAM_API: 'ftp://127.0.0.1', DEEPGRAM_API_KEY: KEY });
  t.is(await demo.exited, 1);
  t.regex(
    demo.stderr,
    /^demo: integratord did not start \(exit code 78\)\. It said:\nintegratord: DEEPGRAM_API must be/,
  );
  t.deepEqual(readdirSync(demo.directory), []);
});

inTurn('if its port is taken, the demo exits before it starts anything', async (t) => {
  t.timeout(TIMEOUT_MS);
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const demo = new RunningDemo(t, ['--port', String(port)]);
  t.is(await demo.exited, 1);
  t.regex(demo.stderr, new RegExp(`^demo: Port ${port} on 127\\.0\\.0\\.1 is taken: `));
  t.is(demo.stdout, '');
});
