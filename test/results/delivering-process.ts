/** Appends finals to the sessions in its arguments until it is killed, as a thread of the daemon does. */

import { createLog } from '../../daemon/log/log.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { Results } from '../../daemon/results/results.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { Egress } from '../../daemon/runtime/egress.ts';
import { TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { ENDED, finalOf, STARTED, stateAt } from './event-stage.ts';

interface Order {
  readonly stateDir: string;
  readonly webhook: string;
  readonly secret: string;
  readonly sessionIds: readonly string[];
  /** Finals per session. */
  readonly finals: number;
  /** Whether each then ends: one that is over is not known to the next process, which would begin it again. */
  readonly ends: boolean;
  readonly everyMs: number;
}

const order = JSON.parse(process.argv[2] ?? '') as Order;
const host = new URL(order.webhook).host;
const results = new Results({
  settings: {
    webhook: order.webhook,
    streamArn: undefined,
    spoolBytes: 64 * 1024 * 1024,
    giveUpMs: 3_600_000,
    deadLetters: undefined,
    allowsLocal: true,
  },
  stateDir: order.stateDir,
  region: 'us-east-1',
  egress: new Egress(),
  secrets: {
    resultsSecret: fixedSecret(JSON.stringify({ [host]: order.secret })),
    stateKey: fixedSecret('a state key of a test'),
    deepgramKey: fixedSecret('key'),
  },
  thread: 'main',
  threads: 1,
  counter: new SessionMetrics().results,
  clock: systemClock,
  timers: new TimerWheel(systemClock),
  log: createLog('silent'),
  random: Math.random,
});
const known = new Set(await results.recover());
const sessions = order.sessionIds.map(async (sessionId) => {
  const request = { contactId: `contact-of-${sessionId}`, dgParams: {}, enforceRealtime: false };
  const log = await results.openEvents(
    { sessionId, request, timeZeroEpochMs: Date.now() },
    { isResumed: known.has(sessionId) },
  );
  if (!log) throw new Error('the events go nowhere');
  if (log.sequence === 0) log.append(STARTED, stateAt(0));
  for (let nth = (log.state?.finals ?? 0) + 1; nth <= order.finals; nth++) {
    await systemClock.sleep(order.everyMs);
    log.append(finalOf(nth, `said by ${process.pid}`), stateAt(nth));
  }
  if (order.ends) log.append(ENDED, stateAt(order.finals));
  await log.drained();
});
process.stdout.write(`${JSON.stringify({ listening: 'running' })}\n`);
await Promise.all(sessions);
results.hurry();
await results.settle();
process.exit(0);
