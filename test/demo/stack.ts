import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DeepgramControl } from '../simulators/deepgram/client.ts';
import type { Program } from '../support/process.ts';
import type { Children } from './children.ts';
import { DaemonProcess } from './daemon-process.ts';
import type { DemoFailed } from './failure.ts';
import type { ResultsReceiver } from './receiver.ts';
import type { DeepgramChoice } from './settings.ts';

/** The processes that the sample call runs through. */
export interface Stack {
  readonly kinesisUrl: string;
  readonly daemon: DaemonProcess;
  readonly triggerSecret: string;
  /** Resets Deepgram's open connections; undefined for the real Deepgram, which cannot be broken from here. */
  readonly breakDeepgram: (() => Promise<void>) | undefined;
}

interface StackOptions {
  readonly children: Children;
  readonly deepgram: DeepgramChoice;
  /** For the control socket and the state. */
  readonly directory: string;
  readonly receiver: Pick<ResultsReceiver, 'url' | 'secret'>;
  /** Called for each process of integratord. */
  readonly onDaemon: (program: Program) => void;
  /** Called if a process exits that should not. */
  readonly onDeath: (error: DemoFailed) => void;
}

/** The simulator requires this key, so that the demo includes the key check. */
const SIMULATOR_KEY = 'demo-key';
/** Shorter than the default of 15 s, so that the demo ends soon after the call. */
const CALL_END_GRACE_MS = 3000;
const SECRET_BYTES = 32;

/** Where integratord's control socket is. */
export function controlSocketIn(directory: string): string {
  return join(directory, 'control.sock');
}

/** Starts the simulators of Kinesis Video and Deepgram, and integratord. Throws DemoFailed if one does not start. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { children, deepgram, directory, receiver, onDaemon, onDeath } = options;
  const [kinesis, simulator] = await Promise.all([
    children.serve('The Kinesis Video simulator', 'test/simulators/kinesis-video/main.ts', [], {}, onDeath),
    deepgram.isReal ? undefined : startDeepgramSimulator(children, onDeath),
  ]);
  const triggerSecret = randomBytes(SECRET_BYTES).toString('hex');
  const env = {
    HOST: '127.0.0.1',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_KINESIS_VIDEO: kinesis.url,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'no-secret',
    TRIGGER_SECRET: triggerSecret,
    CALL_END_GRACE_MS: String(CALL_END_GRACE_MS),
    // The demo's few calls need no threads of their own, each of which takes as long to start as the daemon.
    WORKERS: '0',
    CONTROL_SOCKET: controlSocketIn(directory),
    STATE_DIR: join(directory, 'state'),
    RESULTS_WEBHOOK: receiver.url,
    RESULTS_SECRET: receiver.secret,
    // The receiver is on this machine.
    RESULTS_ALLOW_LOCAL: 'on',
    ...(simulator ? { DEEPGRAM_API: simulator.url, DEEPGRAM_API_KEY: SIMULATOR_KEY } : deepgram.env),
  };
  const daemon = await DaemonProcess.start({ children, env, onStart: onDaemon, onDeath });
  const breakDeepgram = simulator && (() => new DeepgramControl(simulator.url).breakAll());
  return { kinesisUrl: kinesis.url, daemon, triggerSecret, breakDeepgram };
}

function startDeepgramSimulator(children: Children, onDeath: (error: DemoFailed) => void) {
  // A demo may play its calls faster than real time.
  const args = ['--api-key', SIMULATOR_KEY, '--rate', 'off'];
  return children.serve('The Deepgram simulator', 'test/simulators/deepgram/main.ts', args, {}, onDeath);
}
