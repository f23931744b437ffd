/** The process that simulates Deepgram in a soak. */
import type { SaidCall } from '../load/deepgram.ts';
import type { HeardFigures } from '../load/heard-call.ts';
import { listen, takeOrders } from '../load/orders.ts';
import { MoodyDeepgram } from './deepgram-server.ts';

/** The process's argument, as JSON. */
export interface SoakDeepgramSettings {
  readonly seed: number;
}
export type SoakDeepgramOrders = typeof orders;

const { seed } = JSON.parse(process.argv[2] ?? '') as SoakDeepgramSettings;
const deepgram = new MoodyDeepgram(seed);

const orders = {
  listening: () => listen(deepgram.server, 'http'),
  totals: (said: readonly SaidCall[]): HeardFigures[] =>
    said.map(({ call, blocks }) => deepgram.heard(call).figures(blocks)),
  /** The calls are about to end. */
  calm: () => {
    deepgram.isCalm = true;
  },
  record: () => deepgram.record,
  counts: () => {
    const { handshakes, refusals, losses, keepAlives } = deepgram;
    return { handshakes, refusals, losses, keepAlives };
  },
};
takeOrders(orders);
