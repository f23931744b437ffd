import { randomBytes } from 'node:crypto';
import type { Program } from '../support/process.ts';
import type { Children } from './children.ts';
import type { DemoFailed } from './failure.ts';
import type { DeepgramChoice } from './settings.ts';

/** What the sample call runs through. */
export interface Stack {
  readonly kinesisUrl: string;
  readonly daemon: Program;
  /** host:port, as the trigger is told. */
  readonly integrator: string;
  readonly triggerSecret: string;
  readonly controlSocket: string;
}

/** The stand-in takes this one, so that the demo shows a key being checked. */
const STAND_IN_KEY = 'demo-key';
/** 15 s by default; a demo's audience need not wait that long for the call to be over. */
const CALL_END_GRACE_MS = 3000;
const SECRET_BYTES = 32;

/** Starts Kinesis Video's and Deepgram's stand-ins and integratord. Throws DemoFailed when one of them does not start;
 *  `onDeath` is told when one ends later. */
export async function startStack(
  children: Children,
  deepgram: DeepgramChoice,
  controlSocket: string,
  onDeath: (error: DemoFailed) => void,
): Promise<Stack> {
  const [kinesis, deepgramEnv] = await Promise.all([
    children.serve('The Kinesis Video stand-in', 'test/simulators/kinesis-video/main.ts', [], {}, onDeath),
    deepgram.isReal ? deepgram.env : startDeepgramStandIn(children, onDeath),
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
    // The words of a call are in the debug log only, and without a callback nowhere else.
    LOG_LEVEL: deepgram.isReal ? 'debug' : 'info',
    ...deepgramEnv,
  };
  const { program: daemon, url } = await children.serve('integratord', 'daemon/main.ts', [], env, onDeath);
  return { kinesisUrl: kinesis.url, daemon, integrator: new URL(url).host, triggerSecret, controlSocket };
}

async function startDeepgramStandIn(children: Children, onDeath: (error: DemoFailed) => void) {
  // A demo may play its calls faster than real time.
  const args = ['--api-key', STAND_IN_KEY, '--rate', 'off'];
  const { url } = await children.serve('The Deepgram stand-in', 'test/simulators/deepgram/main.ts', args, {}, onDeath);
  return { DEEPGRAM_API: url, DEEPGRAM_API_KEY: STAND_IN_KEY };
}
