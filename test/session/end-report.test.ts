import test from 'ava';
import type { SessionView } from '../../daemon/contract/control-api.ts';
import { type EndOfSession, reportEnd } from '../../daemon/session/end-report.ts';
import { NoAudio } from '../../daemon/session/outcome.ts';
import { recordedLog } from '../support/recorded-log.ts';

const VIEW: SessionView = {
  sessionId: 's',
  contactId: 'a',
  traceId: 't',
  state: 'ended',
  ageMs: 9000,
  audioMs: 7000,
  replayedMs: 0,
  lagMs: 40,
  worstLagMs: 90,
  gapMs: 20,
  repeatedMs: 640,
  reconnects: 1,
  worstBufferBytes: 32_000,
  deepgramRequestIds: ['r'],
};

/** What reportEnd counts and logs. */
function reported(end: Omit<EndOfSession, 'view'>) {
  const { log, of } = recordedLog();
  const counted: unknown[][] = [];
  reportEnd({ view: VIEW, ...end }, log, {
    gap: (...args) => counted.push(['gap', ...args]),
    sessionCompleted: (reason) => counted.push(['completed', reason]),
    sessionFailed: (error) => counted.push(['failed', error]),
  });
  return { counted, line: of('session.ended') };
}

test('a completed session is counted and logged with its reason, its totals and what Deepgram did not process', (t) => {
  const { counted, line } = reported({
    outcome: { name: 'completed', reason: 'next-contact' },
    unsentMs: 0,
    unfinishedMs: 1500,
  });
  t.deepEqual(counted, [
    ['gap', 'unsent', 0],
    ['completed', 'next-contact'],
  ]);
  t.like(line, [
    {
      level: 'info',
      outcome: 'completed',
      reason: 'next-contact',
      audioMs: 7000,
      gapMs: 20,
      repeatedMs: 640,
      unfinishedMs: 1500,
    },
  ]);
});

test('a failed session is logged as an error, and its unsent audio is a gap', (t) => {
  const error = new NoAudio();
  const { counted, line } = reported({ outcome: { name: 'failed', error }, unsentMs: 500, unfinishedMs: 0 });
  t.deepEqual(counted, [
    ['gap', 'unsent', 500],
    ['failed', error],
  ]);
  t.like(line, [{ level: 'error', outcome: 'failed', unsentMs: 500 }]);
  t.regex(String(line[0]?.['error']), /^NoAudio: /);
});
