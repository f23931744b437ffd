import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { createNotifier, type Notifier } from '../../daemon/lifecycle/notify.ts';
import { createLog } from '../../daemon/log/log.ts';

/** Stands in for systemd-notify: keeps each message as a line, with whatever of our environment it was given. */
const KEEPS = `#!/bin/sh
IFS='|'
echo "$*" >>"$0.said"
env >"$0.env"
`;
/** Takes until it is let go to say something. */
const WAITS = `#!/bin/sh
IFS='|'
echo "$*" >>"$0.said"
until [ -e "$0.go" ]; do sleep 0.05; done
`;
const POLL_MS = 20;

interface Stage {
  readonly notifier: Notifier;
  /** The log's events so far. */
  readonly events: string[];
  /** Waits until so many messages were said, and gives them all. */
  readonly said: (count: number) => Promise<string[]>;
  readonly program: string;
}

/** A notifier that finds `script` as systemd-notify. */
async function stageWith(
  t: ExecutionContext,
  script: string | undefined,
  env: Record<string, string> = {},
): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-notify-'));
  const program = join(directory, 'systemd-notify');
  if (script) await install(program, script);
  const events: string[] = [];
  const log = createLog('info', { write: (line) => events.push((JSON.parse(line) as { event: string }).event) });
  const path = script?.startsWith('#!') ? [directory, process.env['PATH']].join(delimiter) : directory;
  const notifier = createNotifier({ NOTIFY_SOCKET: '/run/notify', PATH: path, ...env }, log);
  t.teardown(async () => {
    notifier.stop();
    await writeFile(`${program}.go`, '');
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  return { notifier, events, program, said: (count) => linesOf(`${program}.said`, count) };
}

async function install(program: string, script: string): Promise<void> {
  await writeFile(program, script);
  await chmod(program, 0o755);
}

async function linesOf(file: string, count: number): Promise<string[]> {
  for (;;) {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const lines = text.split('\n').slice(0, -1);
    if (lines.length >= count) return lines;
    await sleep(POLL_MS);
  }
}

test('what happens to the daemon is said in the words of sd_notify', async (t) => {
  const { notifier, said } = await stageWith(t, KEEPS);
  const words: [() => void, string][] = [
    [() => notifier.ready(), 'READY=1'],
    [() => notifier.status('2 calls'), 'STATUS=2 calls'],
    [() => notifier.extendTimeout(1500.4), 'EXTEND_TIMEOUT_USEC=1500400'],
    [() => notifier.stopping(), 'STOPPING=1'],
  ];
  for (const [index, [say, word]] of words.entries()) {
    say();
    t.is((await said(index + 1))[index], word);
  }
});

test('what is said while systemd is slow comes in one message, of each only the latest', async (t) => {
  const { notifier, said, program } = await stageWith(t, WAITS);
  notifier.ready();
  await said(1);
  for (let calls = 1000; calls >= 0; calls--) notifier.status(`${calls} calls`);
  notifier.extendTimeout(1000);
  notifier.extendTimeout(2000);
  await writeFile(`${program}.go`, '');
  t.deepEqual(await said(2), ['READY=1', 'STATUS=0 calls|EXTEND_TIMEOUT_USEC=2000000']);
});

test('a status is one line, whatever is in it', async (t) => {
  const { notifier, said } = await stageWith(t, KEEPS);
  notifier.status(`drains\nWATCHDOG=trigger\u001b[31m ${'x'.repeat(5000)}`);
  const [line = ''] = await said(1);
  t.true(line.startsWith('STATUS=drains WATCHDOG=trigger [31m xxx'));
  t.true(line.length < 300);
});

test('systemd-notify gets nothing of the environment but where to say it', async (t) => {
  const { notifier, said, program } = await stageWith(t, KEEPS, { DEEPGRAM_API_KEY: 'planted', NODE_OPTIONS: '--x' });
  notifier.ready();
  await said(1);
  const names = (await linesOf(`${program}.env`, 3)).map((line) => line.split('=')[0]);
  t.true(names.includes('NOTIFY_SOCKET'));
  t.false(names.includes('DEEPGRAM_API_KEY') || names.includes('NODE_OPTIONS'));
});

test('the watchdog is shown at once, and again and again, that the event loop turns', async (t) => {
  const { notifier, said } = await stageWith(t, KEEPS, { WATCHDOG_USEC: '300000' });
  notifier.startWatchdog();
  notifier.startWatchdog();
  t.deepEqual((await said(3)).slice(0, 3), ['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1']);
});

test('an event loop that hangs shows nothing', async (t) => {
  const { notifier, said, program } = await stageWith(t, KEEPS, { WATCHDOG_USEC: '300000' });
  notifier.startWatchdog();
  await said(2);
  // Looked at without letting the loop go on, so that it does not matter how slow the machine is.
  const count = () => readFileSync(`${program}.said`, 'utf8').split('\n').length;
  const before = count();
  // Ten signs would be due in this time.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  t.true(count() <= before + 1, 'one may have been under way');
});

for (const [why, env] of [
  ['the unit has none', {}],
  ['it watches another process', { WATCHDOG_USEC: '300000', WATCHDOG_PID: '1' }],
] as const) {
  test(`no watchdog is served when ${why}`, async (t) => {
    const { notifier, said } = await stageWith(t, KEEPS, env);
    notifier.startWatchdog();
    notifier.ready();
    t.deepEqual(await said(1), ['READY=1']);
  });
}

test('a message that was lost is said again, and the trouble is logged once', async (t) => {
  const { notifier, said, events, program } = await stageWith(t, '#!/bin/sh\necho "$*" >>"$0.tried"\nexit 1\n');
  notifier.ready();
  notifier.status('1 call');
  await linesOf(`${program}.tried`, 2);
  t.deepEqual(events, ['notify.failing']);
  await rm(program);
  await install(program, KEEPS);
  t.deepEqual((await said(1))[0]?.split('|').sort(), ['READY=1', 'STATUS=1 call']);
  while (events.length < 2) await sleep(POLL_MS);
  t.deepEqual(events, ['notify.failing', 'notify.recovered']);
});

test('without systemd-notify nothing breaks', async (t) => {
  const { notifier, events } = await stageWith(t, undefined, { WATCHDOG_USEC: '300000' });
  notifier.ready();
  notifier.startWatchdog();
  while (events.length === 0) await sleep(POLL_MS);
  t.deepEqual(events, ['notify.failing']);
});

test('once stopped it says nothing more', async (t) => {
  const { notifier, said, program } = await stageWith(t, WAITS, { WATCHDOG_USEC: '60000' });
  notifier.startWatchdog();
  await said(1);
  notifier.ready();
  notifier.stop();
  notifier.status('too late');
  notifier.startWatchdog();
  await writeFile(`${program}.go`, '');
  await sleep(200);
  t.deepEqual(await said(1), ['WATCHDOG=1']);
});

test('away from systemd all of it does nothing', (t) => {
  const events: string[] = [];
  const notifier = createNotifier(
    { PATH: '/nowhere', WATCHDOG_USEC: '1000' },
    createLog('info', { write: (line) => events.push(line) }),
  );
  notifier.ready();
  notifier.status('1 call');
  notifier.extendTimeout(1000);
  notifier.startWatchdog();
  notifier.stopping();
  notifier.stop();
  t.deepEqual(events, []);
});
