import test from 'ava';
import { SecondAttempt } from '../../daemon/kinesis/second-attempt.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const named = (name: string) => Object.assign(new Error('refused'), { name });

/** Credentials that their source has replaced `others` times, and requests that `accepts` answers by their key. */
function attempts({ others = [], accepts }: { others?: (string | Error)[]; accepts: (key: string) => true | Error }) {
  const clock = new VirtualClock({ nowMs: 0 });
  let key = 'first';
  let asked = 0;
  const credentials = async (options?: { forceRefresh?: boolean }) => {
    if (options?.forceRefresh) {
      const other = others[asked++] ?? key;
      if (other instanceof Error) throw other;
      key = other;
    }
    return { accessKeyId: key };
  };
  const sent: string[] = [];
  const request = async () => {
    sent.push(key);
    const answer = accepts(key);
    if (answer !== true) throw answer;
    return key;
  };
  const attempt = new SecondAttempt(credentials, clock);
  return { clock, sent, send: () => attempt.send(request), asked: () => asked };
}

test('credentials that the service calls expired before their time are replaced at once', async (t) => {
  const one = attempts({ others: ['second'], accepts: (key) => key === 'second' || named('ExpiredTokenException') });
  t.is(await one.send(), 'second');
  t.deepEqual(one.sent, ['first', 'second']);
});

test('all requests that were refused with the same credentials get the new ones', async (t) => {
  const one = attempts({
    others: ['second'],
    accepts: (key) => key === 'second' || named('UnrecognizedClientException'),
  });
  t.deepEqual(await Promise.all([one.send(), one.send(), one.send()]), ['second', 'second', 'second']);
  t.is(one.asked(), 1);
});

test('without other credentials a request is not repeated, and their source is asked every five seconds', async (t) => {
  const one = attempts({ others: [named('CredentialsProviderError')], accepts: () => named('ExpiredTokenException') });
  for (let second = 0; second < 10; second++) {
    await t.throwsAsync(one.send(), { name: 'ExpiredTokenException' });
    await one.clock.advance(1000);
  }
  t.is(one.sent.length, 10);
  t.is(one.asked(), 2);
});

test('a refusal for another reason is not repeated', async (t) => {
  const one = attempts({ others: ['second'], accepts: () => named('AccessDeniedException') });
  await t.throwsAsync(one.send(), { name: 'AccessDeniedException' });
  t.deepEqual(one.sent, ['first']);
  t.is(one.asked(), 0);
});
