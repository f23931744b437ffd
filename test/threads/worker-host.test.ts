import { EventEmitter } from 'node:events';
import test from 'ava';
import { DeepgramRefused } from '../../daemon/deepgram/errors.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { ThreadLost } from '../../daemon/threads/host.ts';
import type { FromWorker, Request, ToWorker, WorkerSettings } from '../../daemon/threads/messages.ts';
import { packError } from '../../daemon/threads/packed-error.ts';
import { WorkerHost } from '../../daemon/threads/worker-host.ts';
import { checkpointOf, newSessionOf } from '../support/session-builders.ts';

/** A thread that responds when the test says so. */
class FakeThread extends EventEmitter {
  readonly received: ToWorker[] = [];

  postMessage(message: ToWorker): void {
    this.received.push(structuredClone(message));
  }

  send(message: FromWorker): void {
    this.emit('message', structuredClone(message));
  }

  /** Responds to the oldest request of that type. */
  respond(type: Request['type'], result: unknown = undefined): void {
    this.send({ type: 'result', id: this.#take(type).id, result });
  }

  fail(type: Request['type'], error: Error): void {
    this.send({ type: 'error', id: this.#take(type).id, error: packError(error) });
  }

  #take(type: Request['type']): Request {
    const index = this.received.findIndex((message) => message.type === type);
    return this.received.splice(index, 1)[0] as Request;
  }
}

function hostOf() {
  const thread = new FakeThread();
  return { thread, host: new WorkerHost({} as WorkerSettings, thread) };
}

const seed = newSessionOf('a');
const { sessionId } = seed;
const { arn } = seed.request.kvsStream;

test('a session starts on the thread and ends there', async (t) => {
  const { thread, host } = hostOf();
  const starting = host.start(seed, 2500);
  t.like(thread.received, [{ type: 'start', seed, timeoutMs: 2500 }]);
  t.true(host.reads(arn), 'so that the next session of the stream goes to the same thread');
  t.is(host.size, 1);
  thread.respond('start');
  const hosted = await starting;
  hosted.stop({ keepCheckpoint: true });
  t.deepEqual(thread.received, [{ type: 'stop', sessionId, keepCheckpoint: true }]);
  thread.send({ type: 'ending', sessionId });
  await hosted.ending;
  thread.send({ type: 'ended', sessionId, outcome: { name: 'completed', reason: 'stopped' } });
  t.deepEqual(await hosted.ended, { name: 'completed', reason: 'stopped' });
  t.is(host.size, 0);
  t.false(host.reads(arn));
  t.false(host.hosts(sessionId));
});

test('a session that ends right after its start is not missed', async (t) => {
  const { thread, host } = hostOf();
  const starting = host.resume(checkpointOf('a', sessionId));
  thread.respond('resume');
  thread.send({ type: 'ended', sessionId, outcome: { name: 'completed', reason: 'next-contact' } });
  t.like(await (await starting).ended, { name: 'completed' });
});

test('errors keep their class and fields across threads', async (t) => {
  const { thread, host } = hostOf();
  const starting = host.start(seed, 2500);
  thread.fail('start', new DeepgramRefused(402, 'no credit', 'request-1'));
  const error = await t.throwsAsync(starting, { instanceOf: DeepgramRefused });
  t.like(error, { status: 402, dgError: 'no credit', requestId: 'request-1', retryable: false });
  t.is(host.size, 0);
  t.false(host.hosts(sessionId));
});

test('responses may come in any order', async (t) => {
  const { thread, host } = hostOf();
  const [views, details] = [host.views(), host.details('s')];
  thread.respond('details', undefined);
  thread.respond('views', [{ sessionId: 's' }]);
  t.deepEqual(await views, [{ sessionId: 's' }] as never);
  t.is(await details, undefined);
});

test('a stream stays on the thread until the last of its sessions has ended', async (t) => {
  const { thread, host } = hostOf();
  const other = newSessionOf('b');
  const starts = [host.start(seed, 1), host.start(other, 1)];
  thread.respond('start');
  thread.respond('start');
  const [one, two] = await Promise.all(starts);
  for (const each of [seed, other]) {
    t.true(host.reads(arn));
    thread.send({ type: 'ended', sessionId: each.sessionId, outcome: { name: 'completed', reason: 'stopped' } });
    await Promise.all([one?.ended, each === other ? two?.ended : undefined]);
  }
  t.false(host.reads(arn));
});

test('when the thread ends, its sessions are lost and its requests fail, including later ones', async (t) => {
  const { thread, host } = hostOf();
  const starting = host.start(seed, 2500);
  thread.respond('start');
  const hosted = await starting;
  const pending = t.throwsAsync(host.start(newSessionOf('b'), 2500), { instanceOf: ThreadLost });
  t.false(host.isGone);
  thread.emit('error', new Error('out of memory'));
  thread.emit('exit', 1);
  t.deepEqual(await hosted.ended, { name: 'lost' });
  await pending;
  await host.gone;
  t.true(host.isGone);
  await t.throwsAsync(host.views(), { instanceOf: ThreadLost });
  t.is(host.size, 0);
});

test('counts and log levels are passed on', (t) => {
  const { thread, host } = hostOf();
  const counts: unknown[] = [];
  host.onCounted = (snapshot) => counts.push(snapshot);
  const snapshot = new SessionMetrics().snapshot();
  thread.send({ type: 'counted', snapshot });
  host.setLogLevel('debug');
  t.deepEqual(counts, [snapshot]);
  t.deepEqual(thread.received, [{ type: 'log-level', level: 'debug' }]);
});
