import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { VERSION } from '../../daemon/contract/version.ts';
import { ask } from '../system/control.ts';
import { Stage } from '../system/stage.ts';
import { SHAPES } from './contract-shapes.ts';
import { CtlProcess, ctl } from './ctl-process.ts';

/** A daemon with its control socket, and integratorctl for it. */
async function operated(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'ctl-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const env = { CONTROL_SOCKET: join(directory, 'control.sock') };
  const stage = await Stage.open({ env });
  t.teardown(() => stage.close());
  return { stage, socketPath: env.CONTROL_SOCKET, run: (...args: string[]) => ctl(args, { env }), env };
}

/** Five minutes of silence on both channels, in real time: more than the test needs on any machine. */
const TRACK = Buffer.alloc(300 * 8000 * 2);
const LONG_CALL = { customer: TRACK, agent: TRACK };

test('integratorctl operates the real daemon, from its start to the end of its drain', async (t) => {
  const { stage, socketPath, run, env } = await operated(t);
  const request = await stage.call(LONG_CALL);
  const started = await stage.start(request);
  t.is(started.status, 200);
  const sessionId = String(started.body['sessionId']);
  await holdToContract(t, socketPath, ['status', 'sessions', `sessions/${sessionId}`, 'config', 'doctor', 'log-level']);

  const list = await run('sessions', '-o', 'wide', '--no-header');
  t.deepEqual([list.code, list.stderr], [0, '']);
  t.regex(list.stdout, new RegExp(`^${sessionId} +${request.contactId} +running .* nova-3 `));
  const shown = await run('sessions', 'show', sessionId.slice(0, 8));
  t.deepEqual([shown.code, shown.stderr], [0, '']);
  t.regex(shown.stdout, /^model +nova-3$(.|\n)*session\.started/m);
  t.regex((await run('status')).stdout, /^state +serving\nsessions +1 of 500$/m);
  t.is((await run('version')).stdout, `integratorctl ${VERSION}\nintegratord   ${VERSION}\n`);
  t.regex((await run('config')).stdout, /^DEEPGRAM_API_KEY +set$/m);
  t.regex((await run('doctor')).stdout, /^OK +deepgram /m);

  t.is((await run('log-level', 'warn')).stdout, 'the log level is warn until the next start; LOG_LEVEL is debug\n');
  t.is((await run('log-level', 'debug')).stdout, 'the log level is debug\n');

  t.like(await run('cordon'), { code: 0, stdout: 'the daemon is cordoned\n' });
  t.like(await run('uncordon'), { code: 0, stdout: 'the daemon is serving\n' });
  t.is((await run('drain', '--cancel')).code, 1);

  const drain = new CtlProcess(['drain', '--no-deadline', '--reason', 'a test'], { env });
  await drain.says('stdout', /^draining: 1 session left, longest call \S+, no deadline$/m);
  t.is((await run('cordon')).code, 6);
  t.like(await run('sessions', 'stop', '--all', '--yes', '--no-header'), { code: 0 });
  const { code, stdout } = await drain.ended;
  t.is(code, 0);
  t.regex(stdout, /\ndrained: no sessions left\n$/);
  t.is(await stage.daemon.exited, 0);
  t.is((await run('status')).code, 3);
});

test('a drain of the real daemon whose deadline passes ends the call, and integratorctl exits with 5', async (t) => {
  const { stage, run } = await operated(t);
  t.is((await stage.start(await stage.call(LONG_CALL))).status, 200);
  const { code, stderr } = await run('drain', '--deadline', '300ms');
  t.is(code, 5);
  t.regex(stderr, /the deadline passed and ended 1 session/);
  t.is(await stage.daemon.exited, 0);
});

async function holdToContract(t: ExecutionContext, socketPath: string, paths: readonly string[]): Promise<void> {
  for (const path of paths.map((each) => `/v1/${each}`)) {
    const { body } = await ask(socketPath, 'GET', path);
    const shape = SHAPES.find(([pattern]) => pattern.test(`GET ${path}`))?.[1];
    if (!shape) throw new Error(`the contract has no ${path}`);
    t.deepEqual(shape.safeParse(body).error?.issues ?? [], [], path);
  }
}
