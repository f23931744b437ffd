import test from 'ava';
import { SAMPLE_RATE_HZ } from '../../daemon/contract/audio-format.ts';
import type { ResultsEvent } from '../../daemon/contract/events.ts';
import { type EventFigures, HeardEvents } from './heard-events.ts';
import { ticksOf } from './monotonic.ts';
import { SENT_AT } from './spoken-results.ts';
import { wordsBetween } from './words.ts';

const CALL = 12;
const SENT_MS = 1000;

type Fields = Readonly<Record<string, unknown>>;

function event(sequence: number, fields: Fields): ResultsEvent {
  return { epoch: 1, sequence, id: `session_1_${sequence}`, ...fields } as unknown as ResultsEvent;
}

/** A final of the customer, as the daemon makes it. */
function final(fromMs: number, toMs: number): Fields {
  const words = wordsBetween(CALL, 0, fromMs, toMs).map(({ written, startSample, endSample }) => {
    const ms = (samples: number) => (samples * 1000) / SAMPLE_RATE_HZ;
    return { text: written, startMs: ms(startSample), endMs: ms(endSample), confidence: 0.99 };
  });
  const metadata = { extra: { [SENT_AT]: String(ticksOf(SENT_MS)) } };
  const deepgram = { start: fromMs / 1000, duration: (toMs - fromMs) / 1000, metadata };
  const text = words.map((word) => word.text).join(' ');
  return { type: 'transcript', final: true, speaker: 'CUSTOMER', startMs: fromMs, endMs: toMs, text, words, deepgram };
}

const STARTED = { type: 'session.started' };
const ENDED = { type: 'session.ended', outcome: 'completed', finals: 2, gapMs: 0, unfinishedMs: 0 };
const WHOLE = [event(1, STARTED), event(2, final(0, 4000)), event(3, final(4000, 8000)), event(4, ENDED)];

function heard(events: readonly ResultsEvent[], onFinal: (deliveryMs: number) => void = () => {}): EventFigures {
  const call = new HeardEvents(CALL, onFinal);
  call.take(events, SENT_MS + 30);
  return call.figures();
}

test('every word once, in order, is right, and says how long its delivery took', (t) => {
  const tookMs: number[] = [];
  const figures = heard(WHOLE, (deliveryMs) => tookMs.push(deliveryMs));
  t.deepEqual(figures, {
    requests: 1,
    events: { 'session.started': 1, transcript: 2, 'session.ended': 1 },
    repeats: 0,
    words: [20, 0],
    faults: {},
  });
  t.deepEqual(tookMs, [30, 30]);
});

test('an event that comes again under its number counts once', (t) => {
  const figures = heard([...WHOLE.slice(0, 2), ...WHOLE.slice(1)]);
  t.like(figures, { repeats: 1, events: { transcript: 2 }, words: [20, 0], faults: {} });
});

for (const [what, events, faults] of [
  ['a missing number', [WHOLE[0], WHOLE[2], WHOLE[3]], { sequence: 1, words: 1, totals: 1 }],
  ['a missing final without a missing number', [WHOLE[0], event(2, final(4000, 8000))], { words: 1, order: 1 }],
  ['words that come twice', [WHOLE[0], WHOLE[1], event(3, final(0, 4000))], { words: 1, order: 1 }],
  ['another word', [WHOLE[0], event(2, { ...final(0, 4000), text: 'Something else.' })], { words: 1, order: 1 }],
  ['a call without an end', WHOLE.slice(0, 3), { order: 1 }],
  ['an event after the end', [...WHOLE, event(5, STARTED)], { order: 2 }],
  ['a gap', [WHOLE[0], event(2, { type: 'gap' })], { gap: 1, order: 1 }],
  ['wrong totals', [...WHOLE.slice(0, 3), event(4, { ...ENDED, finals: 3 })], { totals: 1 }],
  [
    'an interim after its final',
    [...WHOLE.slice(0, 2), { type: 'transcript', final: false, speaker: 'CUSTOMER', endMs: 3000 }],
    { 'late interim': 1, order: 1 },
  ],
] as const) {
  test(`a consumer notices ${what}`, (t) => {
    t.deepEqual(heard(events as readonly ResultsEvent[]).faults, faults);
  });
}
