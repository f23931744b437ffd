/**
 * What integratord does with its lifecycle, without the calls: SESSIONS of them run until SIGUSR2 ends them all. Logs to
 * standard output and ends when drained, as integratord does, by having nothing left to do.
 */

import type { DrainOrder } from '../../daemon/admission/drain.ts';
import { connectAutoScaling } from '../../daemon/lifecycle/auto-scaling.ts';
import { connectMetadata } from '../../daemon/lifecycle/metadata.ts';
import { startLifecycle } from '../../daemon/lifecycle/start-lifecycle.ts';
import { createLog } from '../../daemon/log/log.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';

/** Stands for the server that keeps a daemon alive. */
const server = setInterval(() => {}, 60_000);
const drained = Promise.withResolvers<void>();
let sessionsLeft = Number(process.env['SESSIONS'] ?? 0);
let isDraining = false;

function endWhenDrained(): void {
  if (isDraining && sessionsLeft === 0) drained.resolve();
}

const log = createLog('debug');
const metadata = connectMetadata(process.env, systemClock);
const lifecycle = await startLifecycle({
  metadata,
  autoScaling: connectAutoScaling(() => metadata.region()),
  drain: {
    begin(order: DrainOrder) {
      log.info({ event: 'drain.began', ...order }, order.reason);
      isDraining = true;
      endWhenDrained();
    },
  },
  clock: systemClock,
  log,
  random: Math.random,
  settings: { defaultDeadlineMs: 3_600_000 },
});
process.once('SIGUSR2', () => {
  log.info({ event: 'calls.ended' }, 'the calls hang up');
  sessionsLeft = 0;
  endWhenDrained();
});
process.once('SIGTERM', () => {
  isDraining = true;
  endWhenDrained();
});
log.info({ event: 'serving', ...lifecycle.view() }, 'takes calls');
void lifecycle.ready().then(() => log.info({ event: 'ready' }, 'is in service'));

await drained.promise;
await lifecycle.finish();
lifecycle.stop();
log.info({ event: 'finished', ...lifecycle.view() }, 'nothing is left to do');
clearInterval(server);
