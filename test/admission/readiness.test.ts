import test from 'ava';
import { watchReadiness } from '../../daemon/admission/readiness.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function stage() {
  const clock = new VirtualClock();
  const { log, of } = recordedLog();
  const aws = { error: undefined as Error | undefined, checks: 0 };
  const admission = {
    notReady: undefined as string | undefined,
    setNotReady: (why: string | undefined) => {
      admission.notReady = why;
    },
  };
  const check = async () => {
    aws.checks++;
    if (aws.error) throw aws.error;
  };
  return { clock, of, aws, admission, options: { check, admission, clock, log, random: () => 0 } };
}

test('missing credentials make the daemon not ready, and it recovers within 10 s', async (t) => {
  const { clock, of, aws, admission, options } = stage();
  aws.error = new Error('Could not load credentials from any providers');
  await watchReadiness(options);
  t.is(admission.notReady, 'Could not load credentials from any providers');
  await clock.advance(60_000);
  t.is(of('daemon.not-ready').length, 1);
  aws.error = undefined;
  await clock.advance(10_000);
  t.is(admission.notReady, undefined);
  t.is(of('daemon.ready-again').length, 1);
});

test('credentials that get lost are noticed within 10 s', async (t) => {
  const { clock, aws, admission, options } = stage();
  await watchReadiness(options);
  t.is(admission.notReady, undefined);
  aws.error = new Error('lost');
  await clock.advance(10_000);
  t.is(admission.notReady, 'lost');
});

test('a check that hangs counts as failed after 5 s', async (t) => {
  const { clock, admission, options } = stage();
  const check = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const watching = watchReadiness({ ...options, check });
  await clock.advance(5000);
  await watching;
  t.truthy(admission.notReady);
});
