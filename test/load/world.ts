import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from './certificates.ts';
import { Daemon } from './daemon.ts';
import type { DeepgramOrders, DeepgramSettings } from './deepgram.ts';
import type { KinesisOrders, KinesisSettings } from './kinesis.ts';
import type { Options } from './options.ts';
import { StandIn } from './simulator.ts';

/** A daemon and all that it knows of the world, each a process of its own. */
export interface World {
  readonly kinesis: StandIn<KinesisOrders>;
  readonly deepgram: StandIn<DeepgramOrders>;
  readonly daemon: Daemon;
  /** Rejects with LoadFailed when one of them ends before its time. */
  readonly failed: Promise<never>;
}

/** Starts all; `cleanup` ends them and removes their files. Throws LoadFailed when one does not start. */
export async function openWorld(options: Options, cleanup: AsyncDisposableStack): Promise<World> {
  const { tls, verify, daemon: script, checkpoints, workers } = options;
  const directory = await mkdtemp(join(tmpdir(), 'integratord-load-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const certificates = tls ? await makeCertificates(directory) : null;
  const kinesis = new StandIn<KinesisOrders>('kinesis.ts', { tls: certificates } satisfies KinesisSettings);
  cleanup.defer(() => kinesis.stop());
  const verified = Array.from({ length: verify }, (_, call) => call);
  const settings: DeepgramSettings = { tls: certificates, verified };
  const deepgram = new StandIn<DeepgramOrders>('deepgram.ts', settings);
  cleanup.defer(() => deepgram.stop());
  const [kinesisUrl, deepgramUrl] = await Promise.all([kinesis.order('listening'), deepgram.order('listening')]);
  const caPath = certificates?.caPath;
  const daemon = new Daemon({ script, kinesisUrl, deepgramUrl, directory, checkpoints, caPath, workers });
  cleanup.defer(() => daemon.kill());
  await daemon.listening();
  const failed = Promise.race([daemon.failed, kinesis.failed, deepgram.failed]);
  // Whoever waits for something of the run is told.
  failed.catch(() => {});
  return { kinesis, deepgram, daemon, failed };
}
