import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../../support/process.ts';
import { unitNodeOptions } from '../../support/unit-node-options.ts';
import type { Form } from '../checksum.ts';
import { contactOf } from '../material.ts';
import { streamArnOf } from '../simulators/calls.ts';

/** The one that this is all about, and the one that parses nothing. */
export const OURS = 'integratord';
export const FLOOR = 'naive floor';

/** Calls that are started at a time. */
const STARTING = 20;

/** Starts of one call, before it is given up. */
const MOST_STARTS = 5;

/** Where a contender reads and sends to, and how many calls. */
export interface Surroundings {
  readonly sourceUrl: string;
  readonly sinkUrl: string;
  readonly calls: number;
  /** Options of Node for its process. */
  readonly nodeOptions: string;
}

/** A process that moves calls. */
export interface Running {
  readonly program: Program;
  /** What the sink gets of it. */
  readonly form: Form;
  /** Ends it when its calls are over. */
  stop(): Promise<void>;
  /** Ends it whatever it does. */
  kill(): Promise<void>;
}

/** Starts a contender; resolves when all its calls are open. */
type Contender = (surroundings: Surroundings) => Promise<Running>;

export const CONTENDERS: Readonly<Record<string, Contender>> = {
  [OURS]: (surroundings) => startDaemon(surroundings, {}),
  'integratord, checkpoints': async (surroundings) => {
    const directory = await mkdtemp(join(tmpdir(), 'integratord-bench-'));
    const running = await startDaemon(surroundings, { STATE_DIR: directory });
    const tidied = (end: () => Promise<void>) => async () => {
      await end();
      await rm(directory, { recursive: true });
    };
    return { ...running, stop: tidied(running.stop), kill: tidied(running.kill) };
  },
  'ebml-stream': (surroundings) => startRelay(surroundings, 'ebml-stream', 'pcm'),
  ebml: (surroundings) => startRelay(surroundings, 'ebml', 'pcm'),
  [FLOOR]: (surroundings) => startRelay(surroundings, 'none', 'mkv'),
};

async function startDaemon(surroundings: Surroundings, env: Record<string, string>): Promise<Running> {
  const { sourceUrl, sinkUrl, calls, nodeOptions } = surroundings;
  const program = new Program('daemon/main.ts', [], {
    NODE_OPTIONS: `${unitNodeOptions()} ${nodeOptions}`,
    PORT: '0',
    HOST: '127.0.0.1',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-benchmark',
    AWS_ENDPOINT_URL_KINESIS_VIDEO: sourceUrl,
    DEEPGRAM_API: sinkUrl,
    DEEPGRAM_API_KEY: 'key-of-the-benchmark',
    MAX_SESSIONS: String(calls),
    START_TIMEOUT_MS: '60000',
    HEALTH_LAG_MS: '0',
    // One thread, as the others have: what workers cost besides is not what is compared here.
    WORKERS: '0',
    ...env,
  });
  const running = runningOf(program, 'pcm');
  try {
    const url = await program.listening();
    let next = 0;
    const starting = async () => {
      while (next < calls) await startSession(url, next++);
    };
    await Promise.all(Array.from({ length: STARTING }, starting));
    return running;
  } catch (error) {
    await running.kill();
    throw error;
  }
}

/** As the trigger does, it asks again when the answer says that this may help: a busy machine lets starts run late. */
async function startSession(url: string, call: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const response = await askForSession(url, call);
    const answer = await response.text();
    if (response.status === 200) return;
    if (response.status !== 503 || attempt === MOST_STARTS) throw new Error(`call ${call} did not start: ${answer}`);
  }
}

function askForSession(url: string, call: number): Promise<Response> {
  const contactId = contactOf(call);
  return fetch(`${url}/start-session`, {
    method: 'POST',
    body: JSON.stringify({
      contactId,
      kvsStream: { arn: streamArnOf(call), startFragmentNumber: '1' },
      // With a callback, as users have it: results go there and do not come back.
      dgParams: { model: 'nova-3', tag: contactId, callback: 'https://results.example/' },
      enforceRealtime: false,
    }),
  });
}

async function startRelay({ sourceUrl, sinkUrl, calls, nodeOptions }: Surroundings, parser: string, form: Form) {
  const args = ['--parser', parser, '--source', sourceUrl, '--sink', sinkUrl, '--calls', String(calls)];
  const program = new Program('test/bench/naive/relay.ts', args, { NODE_OPTIONS: nodeOptions });
  await program.line(({ event }) => event === 'open');
  return runningOf(program, form);
}

function runningOf(program: Program, form: Form): Running {
  return {
    program,
    form,
    async stop() {
      const code = await program.stop('SIGTERM');
      if (code !== 0 && code !== null) throw new Error(`a contender ended with ${code}: ${program.stderr}`);
    },
    async kill() {
      await program.stop('SIGKILL');
    },
  };
}
