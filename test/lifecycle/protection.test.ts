import test from 'ava';
import { ScaleInProtection } from '../../daemon/lifecycle/protection.ts';
import { LogBook, until } from './surroundings.ts';

/** A protection whose requests wait to be answered by the test. */
function setUp() {
  const requests: { isProtected: boolean; answer: PromiseWithResolvers<void> }[] = [];
  const book = new LogBook();
  const stop = new AbortController();
  const set = (isProtected: boolean) => {
    const answer = Promise.withResolvers<void>();
    requests.push({ isProtected, answer });
    return answer.promise;
  };
  const protection = new ScaleInProtection(false, set, { signal: stop.signal, log: book.log, random: () => 0 });
  return { protection, requests, stop, book };
}

const asked = (requests: readonly { isProtected: boolean }[]) => requests.map(({ isProtected }) => isProtected);

test('what is so already is not asked for', async (t) => {
  const { protection, requests } = setUp();
  await protection.want(false);
  t.deepEqual(requests, []);
});

test('of what is wanted while a request is under way, only the last counts', async (t) => {
  const { protection, requests } = setUp();
  const done = protection.want(true);
  for (const isProtected of [false, true, false, true, false]) void protection.want(isProtected);
  t.deepEqual(asked(requests), [true]);
  requests[0]?.answer.resolve();
  await until(() => requests.length === 2);
  requests[1]?.answer.resolve();
  await done;
  t.deepEqual(asked(requests), [true, false]);
});

test('a request that fails is made again for what is wanted by then', async (t) => {
  const { protection, requests, book } = setUp();
  const done = protection.want(true);
  void protection.want(false);
  requests[0]?.answer.reject(new Error('Throttling'));
  await until(() => requests.length === 2);
  requests[1]?.answer.resolve();
  await done;
  // Whether the failed request was done is not known: it has to be taken back.
  t.deepEqual(asked(requests), [true, false]);
  t.is(book.of('lifecycle.retry').length, 1);
});

test('nothing more is asked for an instance that goes', async (t) => {
  const { protection, requests, stop, book } = setUp();
  const done = protection.want(true);
  stop.abort();
  requests[0]?.answer.reject(new Error('aborted'));
  await done;
  await protection.want(false);
  t.deepEqual(asked(requests), [true]);
  t.deepEqual(book.lines, []);
});
