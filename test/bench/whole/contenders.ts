import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon } from '../../load/daemon.ts';
import { callNumbers } from '../../load/world.ts';
import { Program } from '../../support/process.ts';

/** The one that this is all about, and the one that parses nothing. */
export const OURS = 'integratord';
export const FLOOR = 'naive floor';

/** Calls that are started at a time. */
const STARTING = 20;
/** Starts of one call, before it is given up. */
const MOST_STARTS = 5;
/** After the calls have ended their audio is through within this; who needs longer could not keep up. */
const DRAIN_MS = 15_000;

/** Where a contender reads and sends to, and how many calls. */
export interface Surroundings {
  readonly kinesisUrl: string;
  readonly deepgramUrl: string;
  readonly calls: number;
  /** Options of Node for its process. */
  readonly nodeOptions: string;
}

/** A process that moves calls. */
export interface Running {
  readonly pid: number;
  /** What Deepgram gets of it: 2-channel PCM, or bodies as they came. */
  readonly form: 'pcm' | 'mkv';
  /** Rejects when it ends before its time. */
  readonly failed: Promise<never>;
  /** Waits until it is through with its calls, and ends it, so that it writes its profile. */
  finish(): Promise<void>;
}

/** Starts a contender; resolves when all its calls are open. */
type Contender = (surroundings: Surroundings, cleanup: AsyncDisposableStack) => Promise<Running>;

export const CONTENDERS: Readonly<Record<string, Contender>> = {
  [OURS]: (surroundings, cleanup) => startDaemon(surroundings, cleanup, false),
  'integratord, checkpoints': (surroundings, cleanup) => startDaemon(surroundings, cleanup, true),
  'ebml-stream': (surroundings, cleanup) => startRelay(surroundings, cleanup, 'ebml-stream'),
  ebml: (surroundings, cleanup) => startRelay(surroundings, cleanup, 'ebml'),
  [FLOOR]: (surroundings, cleanup) => startRelay(surroundings, cleanup, 'none'),
};

async function startDaemon(
  { calls, ...surroundings }: Surroundings,
  cleanup: AsyncDisposableStack,
  checkpoints: boolean,
): Promise<Running> {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-bench-'));
  cleanup.defer(() => rm(directory, { recursive: true }));
  // One thread, as the others have: what workers cost besides is not what is compared here.
  const daemon = new Daemon({ script: 'daemon/main.ts', directory, checkpoints, workers: 0, ...surroundings });
  cleanup.defer(() => daemon.kill());
  await daemon.listening();
  const left = callNumbers(calls);
  const starting = async () => {
    for (let call = left.shift(); call !== undefined; call = left.shift()) await startSession(daemon, call);
  };
  await Promise.all(Array.from({ length: STARTING }, starting));
  return {
    pid: daemon.pid,
    form: 'pcm',
    failed: daemon.failed,
    async finish() {
      const unended = await daemon.ended(callNumbers(calls), DRAIN_MS);
      if (unended.length > 0) throw new Error(`${unended.length} sessions have not ended`);
      await daemon.stop();
    },
  };
}

/** As the trigger does, it asks again when the answer says that this may help: a busy machine lets starts run late. */
async function startSession(daemon: Daemon, call: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { failure } = await daemon.startSession(call);
    if (failure === undefined) return;
    if (!failure.startsWith('503') || attempt === MOST_STARTS)
      throw new Error(`call ${call} did not start: ${failure}`);
  }
}

async function startRelay(
  { kinesisUrl, deepgramUrl, calls, nodeOptions }: Surroundings,
  cleanup: AsyncDisposableStack,
  parser: string,
): Promise<Running> {
  const args = ['--parser', parser, '--kinesis', kinesisUrl, '--deepgram', deepgramUrl, '--calls', String(calls)];
  const program = new Program('test/bench/naive/relay.ts', args, { NODE_OPTIONS: nodeOptions });
  cleanup.defer(() => program.stop('SIGKILL').then(() => {}));
  await program.line(({ event }) => event === 'open');
  let isFinishing = false;
  const failed = program.exited.then((code) => {
    if (isFinishing && code === 0) return new Promise<never>(() => {});
    throw new Error(`${parser} ended with ${code}: ${program.stderr}`);
  });
  // Whoever waits for something of it is told.
  failed.catch(() => {});
  return {
    pid: program.pid,
    form: parser === 'none' ? 'mkv' : 'pcm',
    failed,
    async finish() {
      isFinishing = true;
      const timeout = setTimeout(() => program.stop('SIGKILL'), DRAIN_MS);
      await Promise.race([program.exited, failed]);
      clearTimeout(timeout);
    },
  };
}
