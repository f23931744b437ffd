import test from 'ava';
import type { Media } from '../../daemon/kinesis/media-source.ts';
import { Rotation } from '../../daemon/kinesis/rotation.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { unobserved } from './unobserved.ts';

const ROTATE_AFTER_MS = 40 * 60_000;
const BETWEEN_FRAGMENTS = true;
const WITHIN_A_FRAGMENT = false;
const NEVER = new AbortController().signal;

/** A rotation whose GetMedia requests are answered by the test, one after the other. */
function rotation() {
  const clock = new VirtualClock({ nowMs: 0 });
  const requests: { signal: AbortSignal; answer: PromiseWithResolvers<Media> }[] = [];
  const closed: string[] = [];
  const open = (signal: AbortSignal) => {
    const answer = Promise.withResolvers<Media>();
    requests.push({ signal, answer });
    return answer.promise;
  };
  const one = new Rotation(open, { ...unobserved, clock, rotateAfterMs: ROTATE_AFTER_MS });
  const media = (requestId: string): Media => ({
    requestId,
    body: { read: (_notBeforeMs, take) => take(undefined), fault: undefined },
    close: () => closed.push(requestId),
  });
  return { clock, rotation: one, requests, closed, media };
}

test('a connection younger than 40 minutes gets no successor', async (t) => {
  const { clock, rotation: one, requests } = rotation();
  await clock.advance(ROTATE_AFTER_MS - 1);
  t.is(one.takeOver(BETWEEN_FRAGMENTS), undefined);
  t.is(requests.length, 0);
});

test('an older connection gets one successor, which takes over between two fragments', async (t) => {
  const { clock, rotation: one, requests, media } = rotation();
  await clock.advance(ROTATE_AFTER_MS);
  for (let read = 0; read < 10; read++) t.is(one.takeOver(BETWEEN_FRAGMENTS), undefined);
  t.is(requests.length, 1);
  const successor = media('second');
  requests[0]?.answer.resolve(successor);
  await clock.settle();
  t.is(one.takeOver(WITHIN_A_FRAGMENT), undefined);
  t.is(one.takeOver(BETWEEN_FRAGMENTS), successor);
  t.is(requests.length, 1);
});

test('if no fragment ends within 5 s, the successor takes over in the middle of one', async (t) => {
  const { clock, rotation: one, requests, media } = rotation();
  await clock.advance(ROTATE_AFTER_MS);
  one.takeOver(WITHIN_A_FRAGMENT);
  await clock.advance(3000);
  const successor = media('second');
  requests[0]?.answer.resolve(successor);
  await clock.advance(5000);
  t.is(one.takeOver(WITHIN_A_FRAGMENT), undefined);
  await clock.advance(1);
  t.is(one.takeOver(WITHIN_A_FRAGMENT), successor);
});

test('a refused successor is requested again after 10 s', async (t) => {
  const { clock, rotation: one, requests, media } = rotation();
  await clock.advance(ROTATE_AFTER_MS);
  one.takeOver(BETWEEN_FRAGMENTS);
  requests[0]?.answer.reject(new Error('refused'));
  await clock.advance(9999);
  one.takeOver(BETWEEN_FRAGMENTS);
  t.is(requests.length, 1);
  await clock.advance(1);
  one.takeOver(BETWEEN_FRAGMENTS);
  t.is(requests.length, 2);
  const successor = media('third');
  requests[1]?.answer.resolve(successor);
  await clock.settle();
  t.is(one.takeOver(BETWEEN_FRAGMENTS), successor);
});

test('when the old connection ends, a successor already requested takes over', async (t) => {
  const { clock, rotation: one, requests, media } = rotation();
  await clock.advance(ROTATE_AFTER_MS);
  one.takeOver(BETWEEN_FRAGMENTS);
  const ended = one.afterEnd(NEVER);
  const successor = media('second');
  requests[0]?.answer.resolve(successor);
  t.is(await ended, successor);
});

test('an old connection that ends after its successor was refused has no successor', async (t) => {
  const { clock, rotation: one, requests } = rotation();
  t.is(await one.afterEnd(NEVER), undefined);
  await clock.advance(ROTATE_AFTER_MS);
  one.takeOver(BETWEEN_FRAGMENTS);
  requests[0]?.answer.reject(new Error('refused'));
  t.is(await one.afterEnd(NEVER), undefined);
});

test('closing closes the successor unless it is used', async (t) => {
  for (const isUsed of [true, false]) {
    const { clock, rotation: one, requests, closed, media } = rotation();
    await clock.advance(ROTATE_AFTER_MS);
    one.takeOver(BETWEEN_FRAGMENTS);
    const successor = media('second');
    requests[0]?.answer.resolve(successor);
    await clock.settle();
    one.close(isUsed ? successor : undefined);
    t.deepEqual(closed, isUsed ? [] : ['second']);
  }
});

test('closing cancels a request, and closes a connection that opens all the same', async (t) => {
  const { clock, rotation: one, requests, closed, media } = rotation();
  await clock.advance(ROTATE_AFTER_MS);
  one.takeOver(BETWEEN_FRAGMENTS);
  one.close(undefined);
  t.true(requests[0]?.signal.aborted);
  requests[0]?.answer.resolve(media('late'));
  await clock.settle();
  t.deepEqual(closed, ['late']);
});
