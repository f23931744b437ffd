import test from 'ava';
import { randomFrom } from '../support/random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { ModeledBalancer, ModeledInstance, trigger } from './balancer-model.ts';
import { FAULTS, type Fault, failedStarts } from './balancer-trial.ts';

const MOST_FAILED_PERCENT = 0.5;

for (const fault of Object.keys(FAULTS) as Fault[]) {
  for (const perSecond of [3, 20, 50]) {
    test(`one of two instances is ${fault}, ${perSecond} starts/s: less than ${MOST_FAILED_PERCENT} % of the starts fail`, async (t) => {
      const starts = 1000;
      const failed = await failedStarts({ fault, perSecond, starts });
      t.log(`${failed} of ${starts} failed`);
      t.true((100 * failed) / starts < MOST_FAILED_PERCENT, `${failed} of ${starts}`);
    });
  }
}

test('an outage of Deepgram for the whole fleet: the balancer keeps all targets, and starts succeed 2 s after it ends', async (t) => {
  const clock = new VirtualClock();
  const random = randomFrom(1);
  const common = { clock, healthLagMs: 20_000, callMs: 30_000, maxSessions: 10_000 };
  const instances = [new ModeledInstance(common), new ModeledInstance(common)];
  const balancer = new ModeledBalancer(instances, {
    clock,
    random,
    algorithm: 'weighted_random',
    checkEveryMs: 5000,
    threshold: 2,
  });
  const startsFor = async (ms: number) => {
    const starts: Promise<boolean>[] = [];
    for (let atMs = 0; atMs < ms; atMs += 100) {
      starts.push(trigger(`contact-${clock.now()}`, balancer, clock, random));
      await clock.advance(100);
    }
    await clock.advance(10_000);
    return Promise.all(starts);
  };
  for (const instance of instances) instance.network = 'no-route';
  t.true((await startsFor(20_000)).every((isStarted) => !isStarted));
  t.true(
    balancer.targets.every(({ isHealthy }) => !isHealthy),
    'which the balancer treats as if all were healthy',
  );
  for (const instance of instances) instance.network = 'open';
  await clock.advance(2300);
  t.true((await startsFor(20_000)).every(Boolean));
});
