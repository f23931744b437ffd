/** The process that simulates Kinesis Video in a load run. */
import type { CallTotals, RelaySettings } from './caller.ts';
import { type Certificates, identityAt } from './certificates.ts';
import type { TagPlace } from './fragments.ts';
import { LoadKinesis } from './kinesis-server.ts';
import { listen, takeOrders } from './orders.ts';
import { Rota } from './rota.ts';
import { Strain, type StrainFigures } from './strain.ts';

export interface KinesisFigures {
  readonly strain: StrainFigures;
  /** How late blocks were written. */
  readonly latenessMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Blocks per track on all streams. */
  readonly blocks: number;
}

export type KinesisOrders = typeof orders;

const MICROSECONDS_PER_MS = 1000;

/** The process's argument, as JSON. */
export interface KinesisSettings {
  readonly tls: Certificates | null;
  /** Before the cluster by default. */
  readonly tagPlace?: TagPlace | undefined;
  readonly relays?: RelaySettings | undefined;
}

const { tls, tagPlace = 'before', relays } = JSON.parse(process.argv[2] ?? '') as KinesisSettings;
const rota = new Rota();
const kinesis = new LoadKinesis(rota, identityAt(tls), tagPlace, relays);
const strain = new Strain();

const orders = {
  listening: () => listen(kinesis.server, tls ? 'https' : 'http'),
  /** Starts a new measurement period. */
  begin: () => {
    strain.begin();
    rota.lateness.reset();
  },
  figures: (): KinesisFigures => {
    const ms = (microseconds: number) => microseconds / MICROSECONDS_PER_MS;
    const { lateness } = rota;
    return {
      strain: strain.figures(),
      latenessMs: { p50: ms(lateness.percentile(50)), p99: ms(lateness.percentile(99)), max: ms(lateness.max) },
      blocks: [...kinesis.callers].reduce((sum, { blocks }) => sum + blocks, 0),
    };
  },
  /** Begins a call, which otherwise begins with the first GetMedia; resolves with when its audio begins, in epoch ms. */
  beginCall: (call: number): Promise<number> => kinesis.beginCall(call),
  hangUp: (calls: readonly number[]) => {
    for (const call of calls) kinesis.caller(call)?.hangUp();
  },
  breakOff: ({ call, properly }: { call: number; properly: boolean }): boolean =>
    kinesis.caller(call)?.breakOff(properly) ?? false,
  loseFragment: (call: number): boolean => kinesis.caller(call)?.loseFragment() ?? false,
  /** Totals of every call. */
  totals: (): CallTotals[] => [...kinesis.callers].map((caller) => caller.totals()),
};
takeOrders(orders);
