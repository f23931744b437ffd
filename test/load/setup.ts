import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Certificates, makeCertificates } from './certificates.ts';
import type { ConsumerOrders, ConsumerSettings } from './consumer.ts';
import { Daemon } from './daemon.ts';
import type { DeepgramOrders, DeepgramSettings } from './deepgram.ts';
import type { KinesisOrders, KinesisSettings } from './kinesis.ts';
import type { Options } from './options.ts';
import { Simulator } from './simulator.ts';

const SECRET_BYTES = 32;
const LEAST_DAEMON = 'test/load/least-daemon.ts';

/** Kinesis Video and Deepgram, each in its own process. */
export interface Simulators {
  readonly kinesis: Simulator<KinesisOrders>;
  readonly deepgram: Simulator<DeepgramOrders>;
  readonly kinesisUrl: string;
  readonly deepgramUrl: string;
}

/** A daemon and the services it uses. */
export interface Setup extends Simulators {
  readonly daemon: Daemon;
  /** With --results. */
  readonly consumer: Simulator<ConsumerOrders> | undefined;
  /** Rejects with LoadFailed if one of them exits early. */
  readonly failed: Promise<never>;
}

/** Starts both; `cleanup` ends them. Throws LoadFailed if one does not start. */
export async function openSimulators(
  { tls, tagPlace, relays }: KinesisSettings,
  { verified, results }: Omit<DeepgramSettings, 'tls'>,
  cleanup: AsyncDisposableStack,
): Promise<Simulators> {
  const kinesis = new Simulator<KinesisOrders>('kinesis.ts', { tls, tagPlace, relays } satisfies KinesisSettings);
  cleanup.defer(() => kinesis.stop());
  const deepgram = new Simulator<DeepgramOrders>('deepgram.ts', { tls, verified, results } satisfies DeepgramSettings);
  cleanup.defer(() => deepgram.stop());
  const [kinesisUrl, deepgramUrl] = await Promise.all([kinesis.order('listening'), deepgram.order('listening')]);
  return { kinesis, deepgram, kinesisUrl, deepgramUrl };
}

/** Starts all; `cleanup` ends them and removes their files. Throws LoadFailed if one does not start. */
export async function openSetup(options: Options, cleanup: AsyncDisposableStack): Promise<Setup> {
  const { tls, tags, verify, checkpoints, workers, results, least } = options;
  const directory = await mkdtemp(join(tmpdir(), 'integratord-load-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const certificates = tls || results ? await makeCertificates(directory) : null;
  const simulators = await openSimulators(
    { tls: tls ? certificates : null, tagPlace: tags },
    { verified: callNumbers(verify), results },
    cleanup,
  );
  const { kinesis, deepgram, kinesisUrl, deepgramUrl } = simulators;
  const webhook = results && certificates ? await openConsumer(certificates, cleanup) : undefined;
  const caPath = certificates?.caPath;
  const script = least ? LEAST_DAEMON : options.daemon;
  const surroundings = { kinesisUrl, deepgramUrl, directory, caPath, webhook };
  const daemon = new Daemon({ ...surroundings, script, checkpoints, workers, nodeOptions: nodeOptionsOf(options) });
  cleanup.defer(() => daemon.kill());
  await daemon.listening();
  const consumer = webhook?.consumer;
  const failed = Promise.race(
    [daemon, kinesis, deepgram, ...(consumer ? [consumer] : [])].map((process) => process.failed),
  );
  // The caller that races against it handles the rejection.
  failed.catch(() => {});
  return { ...simulators, consumer, daemon, failed };
}

function nodeOptionsOf({ profile, least }: Options): string {
  return [
    ...(profile ? [`--cpu-prof --cpu-prof-dir=${JSON.stringify(resolve(profile))}`] : []),
    ...(least ? [`--import=${new URL('least-relay.ts', import.meta.url)}`] : []),
  ].join(' ');
}

async function openConsumer(tls: Certificates, cleanup: AsyncDisposableStack) {
  const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
  const consumer = new Simulator<ConsumerOrders>('consumer.ts', { tls, secret } satisfies ConsumerSettings);
  cleanup.defer(() => consumer.stop());
  return { consumer, secret, url: await consumer.order('listening') };
}

/** Numbers of the first calls. */
export function callNumbers(calls: number): number[] {
  return Array.from({ length: calls }, (_, call) => call);
}
