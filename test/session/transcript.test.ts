import test from 'ava';
import { NoAudio } from '../../daemon/session/outcome.ts';
import type { SessionSeed } from '../../daemon/session/seed.ts';
import { Transcript } from '../../daemon/session/transcript.ts';
import { RecordedEvents } from '../support/recorded-events.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { checkpointOf, newSessionOf, TIME_ZERO_EPOCH_MS } from '../support/session-builders.ts';

const NEW: SessionSeed = newSessionOf('a', { dgParams: { model: 'nova-3' }, contact: { channel: 'VOICE' } });
const RESUMED: SessionSeed = { kind: 'resumed', checkpoint: checkpointOf('a') };
const AT_7_S = { finalMs: [7000, 6000], lastWords: [[], []], finals: 3 } as const;
const END = { audioMs: 9000, gapMs: 0, unsentMs: 0, unfinishedMs: 0, notFinal: [], mayResume: false };

async function openedOn(events: RecordedEvents, seed: SessionSeed) {
  const { log, of } = recordedLog();
  const transcript = await Transcript.open(seed, { openEvents: async () => events }, log);
  return { transcript, of, types: () => events.numbered.map(({ type }) => type) };
}

test('a session’s first event states what is known about the call', async (t) => {
  const events = new RecordedEvents();
  const { types } = await openedOn(events, NEW);
  t.deepEqual(types(), ['session.started']);
  const startedAt = new Date(TIME_ZERO_EPOCH_MS).toISOString();
  t.like(events.numbered[0], { startedAt, model: 'nova-3', contact: { channel: 'VOICE' } });
});

test('after a crash the events go on where they were', async (t) => {
  const events = new RecordedEvents(1, AT_7_S);
  events.numbered.push({ type: 'session.started', startedAt: new Date(0).toISOString() });
  const { transcript, types } = await openedOn(events, RESUMED);
  t.deepEqual(types(), ['session.started']);
  t.deepEqual(transcript?.finalMs, [7000, 6000]);
});

test('a later epoch begins with what the consumer must discard', async (t) => {
  const known = new RecordedEvents(2, AT_7_S);
  await openedOn(known, RESUMED);
  t.like(known.numbered[0], { type: 'session.resumed', from: { CUSTOMER: 7000, AGENT: 6000 } });
  // After the disk is lost, only the resume point is known.
  const unknown = new RecordedEvents(2);
  await openedOn(unknown, RESUMED);
  t.like(unknown.numbered[0], { type: 'session.resumed', from: { CUSTOMER: 7000, AGENT: 7000 } });
});

test('a session whose events had ended sends none', async (t) => {
  const events = Object.assign(new RecordedEvents(1, AT_7_S), { hasEnded: true });
  const { transcript, types } = await openedOn(events, RESUMED);
  t.is(transcript, undefined);
  t.deepEqual(types(), []);
});

test('a session that is cut off says so, and continues in another epoch if a process resumes it', async (t) => {
  const events = new RecordedEvents();
  const { transcript } = await openedOn(events, NEW);
  const stopped = { name: 'completed', reason: 'stopped' } as const;
  transcript?.ended({ ...END, outcome: stopped, mayResume: true });
  t.like(events.numbered.at(-1), { type: 'session.ended', outcome: 'failed', reason: 'interrupted', durationMs: 9000 });
  const later = Object.assign(new RecordedEvents(2, AT_7_S), { wasInterrupted: true });
  await openedOn(later, RESUMED);
  const from = { CUSTOMER: 7000, AGENT: 6000 };
  t.like(later.numbered, [{ type: 'session.resumed', cause: 'interrupted', from }]);
});

test('a drain does not make a call that was over an interrupted one, nor does an operator', async (t) => {
  for (const [reason, mayResume] of [
    ['no-more-fragments', true],
    ['stopped', false],
  ] as const) {
    const events = new RecordedEvents();
    const { transcript } = await openedOn(events, NEW);
    transcript?.ended({ ...END, outcome: { name: 'completed', reason }, mayResume });
    t.like(events.numbered.at(-1), { type: 'session.ended', outcome: 'completed', reason });
  }
});

test('a gap at the end comes before the last event', async (t) => {
  const events = new RecordedEvents();
  const { transcript } = await openedOn(events, NEW);
  const notFinal = [{ channel: 1, fromMs: 8000, toMs: 9000 }] as const;
  const outcome = { name: 'failed', error: new NoAudio() } as const;
  transcript?.ended({ ...END, outcome, unsentMs: 500, unfinishedMs: 1000, notFinal });
  t.like(events.numbered[1], { cause: 'unsent', startMs: 9000, endMs: 9500, channels: ['CUSTOMER', 'AGENT'] });
  t.like(events.numbered[2], { cause: 'unfinished', startMs: 8000, endMs: 9000, channels: ['AGENT'] });
  t.like(events.numbered[3], { type: 'session.ended', outcome: 'failed', reason: 'NoAudio', durationMs: 9000 });
});

test('speech without a final is a gap, logged without any of its words', async (t) => {
  const events = new RecordedEvents();
  const { transcript, of } = await openedOn(events, NEW);
  transcript?.missing('no-results', { channel: 0, fromMs: 1000, toMs: 31_000 });
  t.like(events.numbered[1], {
    type: 'gap',
    cause: 'no-results',
    startMs: 1000,
    endMs: 31_000,
    channels: ['CUSTOMER'],
  });
  t.like(of('deepgram.no-final'), [{ level: 'warn', cause: 'no-results', speaker: 'CUSTOMER', startMs: 1000 }]);
});
