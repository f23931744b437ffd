import test from 'ava';
import { createLog, logOf } from '../../trigger/log.ts';

const clock = { now: () => 0, epoch: () => Date.parse('2031-05-06T07:08:09Z') };

/** The events that a logger at this level writes, given one event per level. */
function written(wanted: string | undefined) {
  const lines: string[] = [];
  const log = createLog(wanted, clock, (line) => lines.push(line));
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](`a-${level}`);
  return lines.map((line) => JSON.parse(line).event);
}

for (const [level, events] of [
  ['debug', ['a-debug', 'a-info', 'a-warn', 'a-error']],
  ['info', ['a-info', 'a-warn', 'a-error']],
  ['warn', ['a-warn', 'a-error']],
  ['error', ['a-error']],
  ['silent', []],
  ['WARN', ['a-warn', 'a-error']],
  ['warning', ['a-warn', 'a-error']],
  [undefined, ['a-info', 'a-warn', 'a-error']],
  ['', ['a-info', 'a-warn', 'a-error']],
  ['loud', ['log.unknown-level', 'a-info', 'a-warn', 'a-error']],
  ['constructor', ['log.unknown-level', 'a-info', 'a-warn', 'a-error']],
] as const) {
  test(`LOG_LEVEL ${level} writes ${events.join(', ') || 'nothing'}`, (t) => {
    t.deepEqual(written(level), [...events]);
  });
}

test('an event is one line of JSON with its level, time, name and contact', (t) => {
  const lines: string[] = [];
  const log = logOf(
    createLog('info', clock, (line) => lines.push(line)),
    { contactId: 'contact-1', traceId: 'trace-1' },
  );
  log.info('trigger.succeeded', { sessionId: 'line\nbreak', msg: undefined });
  const time = '2031-05-06T07:08:09.000Z';
  const event = { level: 'info', time, event: 'trigger.succeeded', contactId: 'contact-1' };
  t.deepEqual(lines, [JSON.stringify({ ...event, traceId: 'trace-1', sessionId: 'line\nbreak' })]);
});
