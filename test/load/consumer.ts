/** The process that receives the webhooks of a load run. */
import { type Certificates, identityAt } from './certificates.ts';
import { LoadConsumer, type RequestCounts } from './consumer-server.ts';
import { type EventFigures, HeardEvents } from './heard-events.ts';
import { listen, takeOrders } from './orders.ts';
import { Spread, type SpreadFigures } from './spread.ts';
import { Strain, type StrainFigures } from './strain.ts';

export interface ConsumerFigures {
  readonly strain: StrainFigures;
  /** From the sending of a final by Deepgram to its arrival here, since `begin`. */
  readonly deliveryMs: SpreadFigures;
  readonly counts: RequestCounts;
}

export type ConsumerOrders = typeof orders;

/** The process's argument, as JSON. */
export interface ConsumerSettings {
  readonly tls: Certificates;
  /** A `whsec_…`. */
  readonly secret: string;
}

const { tls, secret } = JSON.parse(process.argv[2] ?? '') as ConsumerSettings;
const calls = new Map<number, HeardEvents>();
const delivery = new Spread();
const strain = new Strain();
const identity = identityAt(tls);
const consumer = new LoadConsumer(identity, secret, (call, events, nowMs) => callHeard(call).take(events, nowMs));

const orders = {
  listening: () => listen(consumer.server, 'https'),
  /** Starts a new measurement period. */
  begin: () => {
    strain.begin();
    delivery.reset();
  },
  figures: (): ConsumerFigures => ({
    strain: strain.figures(),
    deliveryMs: delivery.figures(),
    counts: consumer.counts,
  }),
  /** Call this when all calls have ended. */
  totals: (of: readonly number[]): EventFigures[] => of.map((call) => callHeard(call).figures()),
};
takeOrders(orders);

function callHeard(call: number): HeardEvents {
  const known = calls.get(call);
  if (known) return known;
  const heard = new HeardEvents(call, (deliveryMs) => delivery.add(deliveryMs));
  calls.set(call, heard);
  return heard;
}
