import test from 'ava';
import { LOG_LEVELS, type LogLevel } from '../../daemon/contract/log-levels.ts';
import { DeepgramLost, DeepgramRefused, DeepgramUnreachable } from '../../daemon/deepgram/errors.ts';
import { kinesisRefusal } from '../../daemon/kinesis/refusal.ts';
import { createLog, errorFields } from '../../daemon/log/log.ts';

/** A log whose lines a test can read. */
function readable(level: LogLevel) {
  const written: Record<string, unknown>[] = [];
  const log = createLog(level, { write: (line: string) => void written.push(JSON.parse(line)) });
  return { log, written, events: () => written.splice(0).map(({ event }) => event) };
}

test('an ordered level applies to the logs of running sessions too, and is logged at every level', (t) => {
  for (const from of LOG_LEVELS) {
    for (const to of LOG_LEVELS) {
      const { log, written } = readable(from);
      log.orderLevel(to);
      t.like(written, [{ level: 'info', event: 'log.level', from, to }]);
      t.is(log.level, to);
    }
  }
  const { log, events } = readable('info');
  const session = log.child({ sessionId: 's' }).child({ part: 'p' });
  const logAll = () => {
    for (const level of ['debug', 'info', 'warn', 'error'] as const) session[level]({ event: level }, 'text');
  };
  logAll();
  t.deepEqual(events(), ['info', 'warn', 'error']);
  log.orderLevel('debug');
  logAll();
  t.deepEqual(events(), ['log.level', 'debug', 'info', 'warn', 'error']);
  log.orderLevel('error');
  logAll();
  t.deepEqual(events(), ['log.level', 'error']);
  log.orderLevel('silent');
  logAll();
  t.deepEqual(events(), ['log.level']);
});

test('a log says whether debug lines are written, also after an order', (t) => {
  for (const level of LOG_LEVELS) {
    const { log, events } = readable('info');
    const session = log.child({ sessionId: 's' });
    log.orderLevel(level);
    events();
    session.debug({ event: 'debug' }, 'text');
    const isDebug = events().length > 0;
    t.deepEqual([log.isDebug, session.isDebug], [isDebug, isDebug], level);
  }
});

test('the log of another thread follows an order without logging it again', (t) => {
  const main = readable('info');
  const worker = readable('info');
  main.log.onLevel((level) => worker.log.setLevel(level));
  main.log.orderLevel('debug');
  worker.log.debug({ event: 'a' }, 'text');
  t.deepEqual([main.events(), worker.events()], [['log.level'], ['a']]);
});

test('secrets are masked in every part of a line: its fields, its children’s fields and its message', (t) => {
  const { log, written } = readable('info');
  log.redactor.learn(['planted-secret']);
  log.child({ who: '+15550100123' }).info({ event: 'a', error: new Error('planted-secret') }, 'planted-secret');
  t.notRegex(JSON.stringify(written), /planted|1555/);
  t.like(written, [{ event: 'a', who: '***', msg: '***' }]);
});

test('an error is logged with its causes and its request id, without attached objects', (t) => {
  const sdk = Object.assign(new Error('Rate exceeded'), {
    name: 'ClientLimitExceededException',
    $metadata: { requestId: 'aws-1', httpStatusCode: 400 },
    $response: { headers: { authorization: 'planted' } },
  });
  t.deepEqual(errorFields(kinesisRefusal(sdk, 'arn')), {
    error: 'KinesisRefused: Kinesis Video refused arn: ClientLimitExceededException: Rate exceeded',
    causes: ['ClientLimitExceededException: Rate exceeded'],
    requestId: 'aws-1',
  });
  const reset = new Error('read ECONNRESET');
  t.deepEqual(errorFields(new DeepgramUnreachable('h', reset)).causes, ['Error: read ECONNRESET']);
  t.is(errorFields(new DeepgramLost(1011, '', 'dg-1')).requestId, 'dg-1');
  t.deepEqual(errorFields('thrown'), { error: 'thrown' });
  t.is(errorFields(new Error('x'.repeat(5000))).error.length, 1000);
});

test('Deepgram’s message is not part of a refusal’s error, because it repeats parameters', (t) => {
  for (const status of [400, 401, 402, 403, 404, 429, 500, 503]) {
    const fields = errorFields(new DeepgramRefused(status, 'planted', 'dg-1'));
    t.regex(fields.error, new RegExp(`^DeepgramRefused: Deepgram refused the stream: .*HTTP ${status}`));
    t.notRegex(fields.error, /planted/);
    t.is(fields.requestId, 'dg-1');
  }
});
