import { randomBytes } from 'node:crypto';
import type { Program } from '../support/process.ts';
import type { Children } from './children.ts';
import type { DemoFailed } from './failure.ts';
import type { DeepgramChoice } from './settings.ts';

/** The processes that the sample call runs through. */
export interface Stack {
  readonly kinesisUrl: string;
  readonly daemon: Program;
  /** host:port, for the trigger. */
  readonly integrator: string;
  readonly triggerSecret: string;
  readonly controlSocket: string;
}

/** The simulator requires this key, so that the demo includes the key check. */
const SIMULATOR_KEY = 'demo-key';
/** Shorter than the default of 15 s, so that the demo ends soon after the call. */
const CALL_END_GRACE_MS = 3000;
const SECRET_BYTES = 32;

/** Starts the simulators of Kinesis Video and Deepgram, and integratord. Throws DemoFailed if one does not start;
 *  `onDeath` is called if one exits later. */
export async function startStack(
  children: Children,
  deepgram: DeepgramChoice,
  controlSocket: string,
  onDeath: (error: DemoFailed) => void,
): Promise<Stack> {
  const [kinesis, deepgramEnv] = await Promise.all([
    children.serve('The Kinesis Video simulator', 'test/simulators/kinesis-video/main.ts', [], {}, onDeath),
    deepgram.isReal ? deepgram.env : startDeepgramSimulator(children, onDeath),
  ]);
  const triggerSecret = randomBytes(SECRET_BYTES).toString('hex');
  const env = {
    PORT: '0',
    HOST: '127.0.0.1',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_KINESIS_VIDEO: kinesis.url,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'no-secret',
    TRIGGER_SECRET: triggerSecret,
    CALL_END_GRACE_MS: String(CALL_END_GRACE_MS),
    CONTROL_SOCKET: controlSocket,
    // Without a callback, the words of a call are only in the debug log.
    LOG_LEVEL: deepgram.isReal ? 'debug' : 'info',
    ...deepgramEnv,
  };
  const { program: daemon, url } = await children.serve('integratord', 'daemon/main.ts', [], env, onDeath);
  return { kinesisUrl: kinesis.url, daemon, integrator: new URL(url).host, triggerSecret, controlSocket };
}

async function startDeepgramSimulator(children: Children, onDeath: (error: DemoFailed) => void) {
  // A demo may play its calls faster than real time.
  const args = ['--api-key', SIMULATOR_KEY, '--rate', 'off'];
  const { url } = await children.serve('The Deepgram simulator', 'test/simulators/deepgram/main.ts', args, {}, onDeath);
  return { DEEPGRAM_API: url, DEEPGRAM_API_KEY: SIMULATOR_KEY };
}
