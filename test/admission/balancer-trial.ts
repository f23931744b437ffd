import { HEALTH_CHECK, HEALTH_LAG } from '../../cdk/timing.ts';
import { randomFrom } from '../support/random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { type Algorithm, ModeledBalancer, ModeledInstance, trigger } from './balancer-model.ts';

/** The stack's; test/cdk/stack/network.ts compares it with the template. */
export const ALGORITHM: Algorithm = 'weighted_random';
const HEALTH_LAG_MS = HEALTH_LAG.toMilliseconds();

/** What happens to one of two instances, while it gets its share of the starts. */
export const FAULTS = {
  well: () => {},
  full: () => {},
  cordoned: ({ manager }: ModeledInstance) => manager.admission.cordon('test'),
  'refused by Deepgram’s host': (instance: ModeledInstance) => {
    instance.network = 'refused';
  },
  'without a route': (instance: ModeledInstance) => {
    instance.network = 'no-route';
  },
} as const;
export type Fault = keyof typeof FAULTS;

interface Run {
  readonly fault: Fault;
  readonly perSecond: number;
  readonly starts: number;
  readonly algorithm?: Algorithm;
  readonly seed?: number;
}

/** The starts that failed: after the trigger's retries. The fault begins after a tenth of the starts. */
export async function failedStarts({
  fault,
  perSecond,
  starts,
  algorithm = ALGORITHM,
  seed = 1,
}: Run): Promise<number> {
  const clock = new VirtualClock();
  const random = randomFrom(seed);
  // At a steady rate the ill instance has `perSecond / 2 * 30` sessions; half of that makes it full.
  const maxSessions = fault === 'full' ? Math.max(5, Math.round(perSecond * 7.5)) : 10_000;
  const common = { clock, healthLagMs: HEALTH_LAG_MS, callMs: 30_000 };
  const ill = new ModeledInstance({ ...common, maxSessions });
  const well = new ModeledInstance({ ...common, maxSessions: 10_000 });
  const balancer = new ModeledBalancer([well, ill], {
    clock,
    random,
    algorithm,
    checkEveryMs: HEALTH_CHECK.interval.toMilliseconds(),
    threshold: HEALTH_CHECK.unhealthyThresholdCount,
  });
  let failed = 0;
  for (let n = 0; n < starts; n++) {
    if (n === Math.floor(starts / 10)) FAULTS[fault](ill);
    void trigger(`contact-${n}`, balancer, clock, random).then((isStarted) => {
      if (!isStarted) failed++;
    });
    // Poisson arrivals.
    await clock.advance((-Math.log(1 - random()) * 1000) / perSecond);
  }
  await clock.advance(10_000);
  return failed;
}

// `node test/admission/balancer-trial.ts [ALGORITHM]` prints the rows of the table in cdk/README.md.
if (import.meta.main) {
  const algorithm = (process.argv[2] ?? ALGORITHM) as Algorithm;
  for (const fault of Object.keys(FAULTS) as Fault[]) {
    const cells = [3, 20, 50].map(async (perSecond) => {
      let failed = 0;
      for (let seed = 1; seed <= 10; seed++)
        failed += await failedStarts({ fault, perSecond, starts: 1000, algorithm, seed });
      return `${(failed / 100).toFixed(2)} %`;
    });
    process.stdout.write(`| ${fault} | ${(await Promise.all(cells)).join(' | ')} |\n`);
  }
}
