/** A process of a load run's own: Kinesis Video, with all of the run's calls on it. */
import type { CallTotals, RelaySettings } from './caller.ts';
import { type Certificates, identityAt } from './certificates.ts';
import { LoadKinesis } from './kinesis-server.ts';
import { listen, takeOrders } from './orders.ts';
import { Rota } from './rota.ts';
import { Strain, type StrainFigures } from './strain.ts';

export interface KinesisFigures {
  readonly strain: StrainFigures;
  /** How long after its time blocks were written. */
  readonly latenessMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** All blocks of a track put on streams since the beginning. */
  readonly blocks: number;
}

export type KinesisOrders = typeof orders;

const MICROSECONDS_PER_MS = 1000;

/** What the process is given as its argument. */
export interface KinesisSettings {
  readonly tls: Certificates | null;
  readonly relays?: RelaySettings | undefined;
}

const { tls, relays } = JSON.parse(process.argv[2] ?? '') as KinesisSettings;
const rota = new Rota();
const kinesis = new LoadKinesis(rota, identityAt(tls), relays);
const strain = new Strain();

const orders = {
  listening: () => listen(kinesis.server, tls ? 'https' : 'http'),
  /** Figures that are of a time are of the time since then. */
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
  hangUp: (calls: readonly number[]) => {
    for (const call of calls) kinesis.caller(call)?.hangUp();
  },
  breakOff: ({ call, properly }: { call: number; properly: boolean }): boolean =>
    kinesis.caller(call)?.breakOff(properly) ?? false,
  loseFragment: (call: number): boolean => kinesis.caller(call)?.loseFragment() ?? false,
  /** What has come of every call. */
  totals: (): CallTotals[] => [...kinesis.callers].map((caller) => caller.totals()),
};
takeOrders(orders);
