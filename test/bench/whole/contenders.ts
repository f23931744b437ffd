import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon } from '../../load/daemon.ts';
import { callNumbers } from '../../load/setup.ts';
import { Program } from '../../support/process.ts';

/** Our own contender, and the one that parses nothing. */
export const OURS = 'integratord';
export const FLOOR = 'naive floor';

/** Calls that are being started at the same time. */
const STARTING = 20;
/** Start attempts per call. */
const MOST_STARTS = 5;
/** A contender that keeps up has sent everything this long after the calls end. */
const DRAIN_MS = 15_000;

/** What a contender is started with. */
interface Surroundings {
  readonly kinesisUrl: string;
  readonly deepgramUrl: string;
  readonly calls: number;
  /** Node options for its process. */
  readonly nodeOptions: string;
}

/** A process that moves calls. */
export interface Running {
  readonly pid: number;
  /** What it sends to Deepgram: 2-channel PCM, or unparsed bodies. */
  readonly form: 'pcm' | 'mkv';
  /** Rejects if it exits early. */
  readonly failed: Promise<never>;
  /** Waits until it is done with its calls, then ends it in a way that writes its profile. */
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
  // One thread, like the others: the cost of workers is not part of the comparison.
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

/** Retries after a 503, as the trigger does: starts may be late on a busy machine. */
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
  // The caller that races against it handles the rejection.
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
