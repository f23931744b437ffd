import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StartRequest } from '../../daemon/contract/start-request.ts';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { DeepgramControl } from '../simulators/deepgram/client.ts';
import { KinesisVideoControl } from '../simulators/kinesis-video/client.ts';
import { Program } from '../support/process.ts';
import { received } from '../system/received.ts';
import { channel } from '../system/stage.ts';

export const API_KEY = 'key-of-the-systemd-test';
const SAMPLES_PER_S = 8000;
const BYTES_PER_MS = 32;
/** The simulators do not push events, so they are polled. */
const LOOK_EVERY_MS = 50;

/** A live call of two speakers, in real time. */
export interface LiveCall {
  readonly request: StartRequest;
  readonly customer: Int16Array;
  readonly agent: Int16Array;
}

/** Kinesis Video and Deepgram, outside the container, on the loopback interface that it shares. */
export class Simulators {
  readonly kinesis: KinesisVideoControl;
  readonly deepgram: DeepgramControl;
  readonly #programs: readonly Program[];

  static async start(): Promise<Simulators> {
    const kinesis = new Program('test/simulators/kinesis-video/main.ts');
    const deepgram = new Program('test/simulators/deepgram/main.ts', ['--api-key', API_KEY, '--rate', 'off']);
    const urls = await Promise.all([kinesis.listening(), deepgram.listening()]);
    return new Simulators(...urls, [kinesis, deepgram]);
  }

  private constructor(kinesisUrl: string, deepgramUrl: string, programs: readonly Program[]) {
    this.kinesis = new KinesisVideoControl(kinesisUrl);
    this.deepgram = new DeepgramControl(deepgramUrl);
    this.#programs = programs;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop('SIGKILL')));
  }

  /** Starts a call of `seconds` on a new stream. */
  async call(seconds: number): Promise<LiveCall> {
    const contactId = randomUUID();
    const stream = `stream-${contactId}`;
    const [customer, agent] = [
      distinctSamples(seconds * SAMPLES_PER_S, 1),
      distinctSamples(seconds * SAMPLES_PER_S, 2),
    ];
    await this.kinesis.putStream(stream);
    const voices = { customer: bytesOf(customer), agent: bytesOf(agent) };
    const { streamArn, startFragmentNumber } = await this.kinesis.startCall(stream, { contactId, ...voices });
    const kvsStream = { arn: streamArn, startFragmentNumber };
    const dgParams = { model: 'nova-3', tag: contactId };
    return { request: { contactId, kvsStream, dgParams, enforceRealtime: false }, customer, agent };
  }

  /** Waits until Deepgram has received `seconds` of the call. */
  async heard({ request }: LiveCall, seconds: number): Promise<void> {
    const isEnough = ({ bytes }: { bytes: number }) => bytes >= seconds * 1000 * BYTES_PER_MS;
    while (!(await this.deepgram.connectionsTagged(request.contactId)).some(isEnough)) await sleep(LOOK_EVERY_MS);
  }

  /** Compares what Deepgram received on all connections with what was spoken. */
  async compare({ request, customer, agent }: LiveCall) {
    const { audio, missingMs, agrees, runs } = await received(this.deepgram, request.contactId);
    return {
      customer: difference(channel(audio, 0), customer),
      agent: difference(channel(audio, 1), agent),
      missingMs,
      agrees,
      connections: runs.length,
    };
  }
}
