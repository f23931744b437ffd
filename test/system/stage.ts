import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { signatureHeaders } from '../../daemon/contract/signing.ts';
import type { StartRequest } from '../../daemon/contract/start-request.ts';
import { DeepgramControl } from '../simulators/deepgram/client.ts';
import type { ConnectionFacts } from '../simulators/deepgram/recording.ts';
import { type CallDescription, type CallState, KinesisVideoControl } from '../simulators/kinesis-video/client.ts';
import type { Retention } from '../simulators/kinesis-video/stream.ts';
import { type Line, Program } from '../support/process.ts';

export const API_KEY = 'key-of-the-stage';
export const REGION = 'us-east-1';

/** Settings of a daemon under test, which detects the end of a call quickly. */
const SETTINGS = {
  PORT: '0',
  HOST: '127.0.0.1',
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret-of-the-stage',
  DEEPGRAM_API_KEY: API_KEY,
  CALL_END_GRACE_MS: '2000',
  HEALTH_LAG_MS: '0',
  LOG_LEVEL: 'debug',
  // Worker threads are tested in workers.test.ts.
  WORKERS: '0',
};

export interface StageOptions {
  /** The daemon's script: the sources by default, else a bundle. */
  readonly daemon?: string;
  readonly env?: Record<string, string>;
  /** Simulators that other stages use as well; without them, the stage has its own. */
  readonly simulators?: Simulators;
  readonly kinesisArgs?: readonly string[];
  readonly deepgramArgs?: readonly string[];
  /** Puts something between the daemon and Kinesis Video; returns its URL. */
  readonly kinesisVia?: (url: string) => Promise<string>;
  /** Puts a proxy between the daemon and Deepgram; returns its URL. */
  readonly deepgramVia?: (url: string) => Promise<string>;
}

/** How often the daemon, and a call's state, are looked at. */
const POLL_MS = 20;

/** The response to a request. */
interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface StartOptions {
  readonly secret?: string;
  readonly headers?: Record<string, string>;
  /** Returns whatever the response is. */
  readonly isLast?: boolean;
}

/** One channel of 2-channel PCM. */
export function channel(audio: Buffer, index: 0 | 1): Int16Array {
  const samples = new Int16Array(audio.length / 4);
  for (let frame = 0; frame < samples.length; frame++) samples[frame] = audio.readInt16LE(frame * 4 + index * 2);
  return samples;
}

/**
 * The simulators of Kinesis Video and Deepgram. Stages can share them if their tests cause faults for their own streams
 * and tags only.
 */
export class Simulators {
  readonly #kinesisArgs: readonly string[];
  readonly #deepgramArgs: readonly string[];
  #programs: readonly [kinesis: Program, deepgram: Program] | undefined;

  constructor(kinesisArgs: readonly string[] = [], deepgramArgs: readonly string[] = []) {
    this.#kinesisArgs = kinesisArgs;
    this.#deepgramArgs = ['--api-key', API_KEY, '--rate', 'off', ...deepgramArgs];
  }

  /**
   * Their URLs, once they listen. Starts them if nothing has yet: where all tests of a file are skipped, ava calls none of
   * its hooks, and nothing would stop them.
   */
  async listening(): Promise<{ kinesisUrl: string; deepgramUrl: string }> {
    this.#programs ??= [
      new Program('test/simulators/kinesis-video/main.ts', this.#kinesisArgs),
      new Program('test/simulators/deepgram/main.ts', this.#deepgramArgs),
    ];
    const [kinesis, deepgram] = this.#programs;
    const [kinesisUrl, deepgramUrl] = await Promise.all([kinesis.listening(), deepgram.listening()]);
    return { kinesisUrl, deepgramUrl };
  }

  async stop(): Promise<void> {
    await Promise.all((this.#programs ?? []).map((program) => program.stop('SIGKILL')));
  }
}

/** The daemon between the simulators of Kinesis Video and Deepgram, each in its own process. */
export class Stage {
  readonly kinesis: KinesisVideoControl;
  readonly deepgram: DeepgramControl;
  daemon: Program;
  url: string;
  readonly #daemons: Program[];
  /** Its own. */
  readonly #simulators: Simulators | undefined;
  readonly #startDaemon: () => Program;
  readonly #calls = new Map<string, string>();
  /** Sessions of starts that the daemon refused after all. */
  readonly #refused = new Set<unknown>();

  static async open(options: StageOptions = {}): Promise<Stage> {
    const { daemon = 'daemon/main.ts', env = {}, kinesisArgs, deepgramArgs, kinesisVia, deepgramVia } = options;
    const simulators = options.simulators ?? new Simulators(kinesisArgs, deepgramArgs);
    const { kinesisUrl, deepgramUrl } = await simulators.listening();
    const deepgramApi = deepgramVia ? await deepgramVia(deepgramUrl) : deepgramUrl;
    const kinesisApi = kinesisVia ? await kinesisVia(kinesisUrl) : kinesisUrl;
    const urls = { AWS_ENDPOINT_URL_KINESIS_VIDEO: kinesisApi, DEEPGRAM_API: deepgramApi };
    const settings = { ...SETTINGS, ...urls, ...env };
    const startDaemon = () => new Program(daemon, [], settings);
    const stage = new Stage(kinesisUrl, deepgramUrl, startDaemon, options.simulators ? undefined : simulators);
    stage.url = await stage.daemon.listening();
    return stage;
  }

  private constructor(kinesisUrl: string, deepgramUrl: string, startDaemon: () => Program, simulators?: Simulators) {
    this.kinesis = new KinesisVideoControl(kinesisUrl);
    this.deepgram = new DeepgramControl(deepgramUrl);
    this.#startDaemon = startDaemon;
    this.daemon = startDaemon();
    this.url = '';
    this.#daemons = [this.daemon];
    this.#simulators = simulators;
  }

  /** Kills the daemon and starts another one with the same settings. */
  async crash(whileDown: () => Promise<void> = async () => {}): Promise<void> {
    await this.daemon.stop('SIGKILL');
    await whileDown();
    this.daemon = this.#startDaemon();
    this.#daemons.push(this.daemon);
    this.url = await this.daemon.listening();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#daemons.map((daemon) => daemon.stop('SIGKILL')), this.#simulators?.stop()]);
  }

  /** Puts a call on a new stream; returns the start request for its session, tagged with the contact id. */
  async call(
    call: Omit<CallDescription, 'contactId'>,
    stream = `stream-${randomUUID()}`,
    retention: Retention = {},
  ): Promise<StartRequest> {
    const contactId = randomUUID();
    await this.kinesis.putStream(stream, retention);
    const started = await this.kinesis.startCall(stream, { ...call, contactId });
    const { streamArn, startFragmentNumber, startTimestamp, callId } = started;
    this.#calls.set(contactId, callId);
    return {
      contactId,
      kvsStream: { arn: streamArn, startFragmentNumber, startTimestamp },
      // Contains values that must not be logged: test/support/leak-watch.ts.
      dgParams: { model: 'nova-3', tag: contactId, keyterm: 'keyterm-of-the-stage', caller: '+15550100123' },
      enforceRealtime: false,
    };
  }

  /**
   * POST /start-session, signed if there is a secret. On a busy machine the simulators may be so late that the daemon
   * takes itself for cut off: then it is asked again, as the trigger does, unless `isLast`. What the refused start may
   * have begun is not the contact's session: `ended` ignores it.
   */
  async start(body: unknown, { secret, headers = {}, isLast = false }: StartOptions = {}): Promise<Answered> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    for (;;) {
      const signed = secret ? signatureHeaders(secret, text, Date.now()) : {};
      const answered = await this.ask('POST', '/start-session', text, { ...signed, ...headers });
      if (answered.body['reason'] !== 'cut-off' || isLast) return answered;
      await this.reachable();
      const { contactId } = JSON.parse(text) as StartRequest;
      for (const line of this.daemon.lines) if (line['contactId'] === contactId) this.#refused.add(line['sessionId']);
    }
  }

  /** Waits until the daemon does not take itself for cut off. */
  async reachable(): Promise<void> {
    while ((await this.ask('GET', '/health-check')).body['status'] === 'cut-off') await sleep(POLL_MS);
  }

  async ask(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answered> {
    const response = await fetch(
      new URL(path, this.url),
      body === undefined ? { method, headers } : { method, headers, body },
    );
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  }

  /** Waits for the log line of the end of the contact's session. */
  ended(contactId: string): Promise<Line> {
    return this.daemon.line(
      ({ event, sessionId, ...line }) =>
        event === 'session.ended' && line['contactId'] === contactId && !this.#refused.has(sessionId),
    );
  }

  /** Waits until a connection of the contact has received `callMs` of audio. */
  deepgramHas(contactId: string, callMs: number): Promise<void> {
    return this.deepgram.received(contactId, callMs * 32);
  }

  /** Waits until the contact's customer has been streamed up to `callMs`. */
  async kinesisHas(contactId: string, callMs: number): Promise<void> {
    const callId = this.#callOf(contactId);
    while ((await this.kinesis.call(callId)).bytes.customer < callMs * 16) await sleep(POLL_MS);
  }

  /** Ends the contact's call; returns how much of it was streamed. */
  hangUp(contactId: string): Promise<CallState> {
    return this.kinesis.stopCall(this.#callOf(contactId));
  }

  /** Waits until all of the contact's connections to Deepgram are closed; returns them. */
  closed(contactId: string): Promise<ConnectionFacts[]> {
    return this.deepgram.closed(contactId);
  }

  #callOf(contactId: string): string {
    const callId = this.#calls.get(contactId);
    if (callId === undefined) throw new Error(`no call of ${contactId} was put on a stream`);
    return callId;
  }

  /** Starts the session and waits for its end; returns what Deepgram received on its one connection. */
  async transcribe(request: StartRequest): Promise<{ ended: Line; audio: Buffer; connection: ConnectionFacts }> {
    const started = await this.start(request);
    if (started.status !== 200) throw new Error(`not started: ${JSON.stringify(started.body)}`);
    const ended = await this.ended(request.contactId);
    const [connection, ...others] = await this.closed(request.contactId);
    if (!connection || others.length > 0) throw new Error(`${others.length + (connection ? 1 : 0)} connections`);
    return { ended, audio: await this.deepgram.audio(connection.requestId), connection };
  }
}
