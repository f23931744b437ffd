import { randomUUID } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import type { NumberedContent, NumberedEvent } from '../../../daemon/contract/events.ts';
import { asText, transcriptsOf } from '../../../trigger/receiver/transcript.ts';
import { ended, final, gap, numbered, resumed, started } from '../../results/events-of-a-call.ts';

const sessionId = randomUUID();
const epoch = (number: number, contents: readonly NumberedContent[]) =>
  numbered(contents, { sessionId, epoch: number });

/** The only session's transcript. */
function transcriptOf(events: readonly NumberedEvent[]) {
  const [transcript, ...others] = transcriptsOf(events);
  if (!transcript || others.length > 0) throw new Error('not one session');
  return transcript;
}

const textsOf = (events: readonly NumberedEvent[]) =>
  transcriptOf(events).lines.map((line) => (line.type === 'speech' ? line.text : `[${line.cause}]`));

const CALL = epoch(1, [
  started(),
  final('AGENT', 0, 'hello'),
  // The customer speaks before, and is final after the agent.
  final('AGENT', 4000, 'how can I help'),
  final('CUSTOMER', 1000, 'good morning'),
  gap(6000, 7000),
  final('CUSTOMER', 7000, ''),
  ended(),
]);

test('lines are sorted by time, with the gaps', (t) => {
  t.deepEqual(textsOf(CALL), ['hello', 'good morning', 'how can I help', '[missing]']);
  const { startedAt, ended: end, missing } = transcriptOf(CALL);
  t.deepEqual(
    { startedAt, end, missing },
    {
      startedAt: '2026-01-01T00:00:00.000Z',
      end: { outcome: 'completed', reason: 'silence' },
      missing: [],
    },
  );
});

test('repeats and any order of arrival make no difference', (t) => {
  const later = epoch(2, [resumed(2500, 1000), final('AGENT', 4000, 'how may I help'), ended('failed')]);
  const all = [...CALL, ...later];
  const expected = transcriptsOf(all);
  fc.assert(
    fc.property(fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }), (shuffled) => {
      t.deepEqual(transcriptsOf(shuffled), expected);
    }),
  );
  t.is(expected.length, 1);
});

test('an event that has not come is named, and the rest is shown', (t) => {
  const { missing, lines } = transcriptOf(CALL.filter(({ sequence }) => sequence !== 2 && sequence !== 5));
  t.deepEqual(missing, [`${sessionId}_1_2`, `${sessionId}_1_5`]);
  t.is(lines.length, 2);
});

test('a later epoch replaces what it repeats, per speaker', (t) => {
  const first = epoch(1, [
    started(),
    final('AGENT', 0, 'one'),
    final('CUSTOMER', 1000, 'two'),
    final('AGENT', 2000, 'three'),
    final('CUSTOMER', 3000, 'four'),
    gap(2500, 3500),
  ]);
  const second = epoch(2, [resumed(1300, 2300), final('CUSTOMER', 3000, 'four again'), gap(2600, 3000)]);
  t.deepEqual(textsOf([...first, ...second]), ['one', 'two', 'three', '[missing]', 'four again']);
  // A planned hand-over repeats nothing.
  t.deepEqual(textsOf([...first, ...epoch(2, [resumed(9000)])]), ['one', 'two', 'three', '[missing]', 'four']);
});

test('a gap that is repeated for one speaker remains for the other', (t) => {
  const events = [...epoch(1, [started(), gap(2500, 3500)]), ...epoch(2, [resumed(1000, 9000)])];
  t.deepEqual(transcriptOf(events).lines, [
    { type: 'gap', speakers: ['AGENT'], startMs: 2500, endMs: 3500, cause: 'missing' },
  ]);
});

test('where a later epoch follows an end, the session has not ended before that one does', (t) => {
  t.truthy(transcriptOf(CALL).ended);
  t.is(transcriptOf([...CALL, ...epoch(2, [resumed(9000)])]).ended, undefined);
  t.is(transcriptOf([...CALL, ...epoch(2, [resumed(9000), ended('failed')])]).ended?.outcome, 'failed');
});

test('a gap of undelivered events disappears when they arrive after all', (t) => {
  const undelivered = (sequences: number[]): NumberedContent => ({
    ...(gap(1000, 2000) as NumberedContent & { type: 'gap' }),
    cause: 'undelivered',
    sequences,
  });
  const events = epoch(1, [started(), final('AGENT', 1000, 'one'), final('AGENT', 1500, 'two'), undelivered([2, 3])]);
  t.deepEqual(textsOf(events), ['one', 'two']);
  t.deepEqual(textsOf(events.filter(({ sequence }) => sequence !== 3)), ['one', '[undelivered]']);
});

test("a contact's sessions are in the order in which they began", (t) => {
  const other = randomUUID();
  const later = { ...started(), startedAt: '2026-01-01T00:10:00.000Z' };
  const events = [...numbered([later, final('AGENT', 0, 'after a pause')], { sessionId: other }), ...CALL];
  t.deepEqual(
    transcriptsOf(events).map((each) => each.sessionId),
    [sessionId, other],
  );
  t.deepEqual(transcriptsOf([]), []);
});

test('the text is for people', (t) => {
  const hours = epoch(1, [
    started(),
    final('AGENT', 3_723_450, 'hello'),
    { ...gap(0, 500), channels: ['CUSTOMER'] } as NumberedContent,
  ]);
  t.is(
    asText(transcriptsOf(hours)),
    [
      `session ${sessionId}, 2026-01-01T00:00:00.000Z, not ended`,
      '0:00:00.0-0:00:00.5 [missing of CUSTOMER: missing]',
      '1:02:03.4-1:02:03.7 AGENT: hello',
      '',
    ].join('\n'),
  );
  t.regex(asText(transcriptsOf(CALL.slice(1))), /start unknown, completed \(silence\), 1 events missing/);
});
