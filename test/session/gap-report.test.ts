import test from 'ava';
import { AGENT } from '../../daemon/contract/audio-format.ts';
import { GapReporter } from '../../daemon/session/gap-report.ts';
import { recordedLog } from '../support/recorded-log.ts';

function reporterOf() {
  const { log, of } = recordedLog();
  const counted: [cause: string, ms: number][] = [];
  const gaps = new GapReporter(log, { notStreamedMs: 0, gap: (cause, ms) => counted.push([cause, ms]) });
  return { gaps, counted, of };
}

test('a gap is counted and logged once, with the cause reported before it', (t) => {
  const { gaps, counted, of } = reporterOf();
  gaps.check({ gapMs: 0, positionMs: 1000, reachMs: 1000 });
  gaps.note('corrupt');
  gaps.check({ gapMs: 250, positionMs: 2000, reachMs: 2000 });
  gaps.check({ gapMs: 250, positionMs: 3000, reachMs: 3000 });
  t.deepEqual(counted, [['corrupt', 250]]);
  t.like(of('audio.gap'), [{ level: 'warn', cause: 'corrupt', missingMs: 250, callMs: 2000 }]);
});

test('later gaps are reported by their own length', (t) => {
  const { gaps, counted } = reporterOf();
  gaps.check({ gapMs: 100, positionMs: 1000, reachMs: 1000 });
  gaps.check({ gapMs: 350, positionMs: 2000, reachMs: 2000 });
  t.deepEqual(counted, [
    ['missing', 100],
    ['missing', 250],
  ]);
});

test('trouble without a gap is not the cause of a later gap', (t) => {
  const { gaps, counted } = reporterOf();
  gaps.note('corrupt');
  gaps.check({ gapMs: 0, positionMs: 1000, reachMs: 1000 });
  gaps.check({ gapMs: 0, positionMs: 1250, reachMs: 1250 });
  gaps.check({ gapMs: 100, positionMs: 2000, reachMs: 2000 });
  t.deepEqual(counted, [['missing', 100]]);
});

test('a gap is reported with its place in the call, to the ms where its pieces show it', (t) => {
  const found: unknown[] = [];
  const { log } = recordedLog();
  const gaps = new GapReporter(log, { notStreamedMs: 0, gap: () => {} }, (gap) => found.push(gap));
  gaps.took({ gapMs: 0, positionMs: 1000 }, 100);
  gaps.took({ gapMs: 30, positionMs: 1100 }, 100);
  gaps.took({ gapMs: 130, positionMs: 1200 }, 100);
  gaps.took({ gapMs: 150, positionMs: 1300 }, 100);
  gaps.took({ gapMs: 150, positionMs: 1400 }, 100);
  gaps.check({ gapMs: 150, positionMs: 1400, reachMs: 1400 });
  gaps.note('not-streamed');
  gaps.took({ gapMs: 250, positionMs: 2000 }, 100);
  gaps.check({ gapMs: 250, positionMs: 2000, reachMs: 2000 });
  gaps.lost('withheld-at-end', 500);
  gaps.lost('missed-at-start', 700);
  t.deepEqual(found, [
    { cause: 'missing', startMs: 1070, endMs: 1220 },
    { cause: 'not-streamed', startMs: 1900, endMs: 2000 },
    { cause: 'withheld-at-end', startMs: 2000, endMs: 2500 },
    { cause: 'missed-at-start', startMs: 0, endMs: 0 },
  ]);
});

test('of a call that is read again, what was told is not told again, and what is new is', (t) => {
  const told: [startMs: number, endMs: number][] = [];
  const { log } = recordedLog();
  const counted: number[] = [];
  const metrics = { notStreamedMs: 0, gap: (_cause: string, ms: number) => counted.push(ms) };
  const gaps = new GapReporter(log, metrics, ({ startMs, endMs }) => told.push([startMs, endMs]));
  const take = (gapMs: number, positionMs: number) => {
    gaps.took({ gapMs, positionMs }, 1000);
    gaps.check({ gapMs, positionMs, reachMs: positionMs });
  };
  take(0, 4000);
  take(1000, 5000);
  take(1000, 6000);
  t.is(gaps.totalMs(1000), 1000);
  gaps.restart();
  t.is(gaps.totalMs(0), 1000);
  // Kinesis no longer has the second second.
  take(0, 1000);
  take(1000, 2000);
  take(1000, 3000);
  take(1000, 4000);
  take(2000, 5000);
  take(3000, 6000);
  t.deepEqual(told, [
    [4000, 5000],
    [1000, 2000],
    [5000, 6000],
  ]);
  t.deepEqual(counted, [1000, 1000, 1000]);
  t.is(gaps.totalMs(3000), 3000);
});

test('of a call that is read again from half an hour before, no gap counts twice', (t) => {
  const { gaps } = reporterOf();
  const take = (gapMs: number, positionMs: number) => {
    gaps.took({ gapMs, positionMs }, 1000);
    gaps.check({ gapMs, positionMs, reachMs: positionMs });
  };
  take(1000, 5000);
  take(2000, 1_800_000);
  gaps.restart();
  take(1000, 5000);
  t.is(gaps.totalMs(1000), 2000);
  take(2000, 1_800_000);
  t.is(gaps.totalMs(2000), 2000);
});

test('a process that resumes tells no gap again that the one before it told, and counts none twice', (t) => {
  const take = (gaps: GapReporter, gapMs: number, positionMs: number, cause?: 'not-streamed') => {
    if (cause) gaps.note(cause);
    gaps.took({ gapMs, positionMs }, 1000);
    gaps.check({ gapMs, positionMs, reachMs: positionMs });
  };
  const { gaps: first } = reporterOf();
  take(first, 1000, 2000);
  take(first, 1000, 4000);
  take(first, 2000, 5000);
  take(first, 2000, 6000);
  take(first, 3000, 7000, 'not-streamed');
  t.is(first.totalMs(3000), 2000);
  t.is(first.toldAfter(7000), undefined);
  // Half of the second gap is safe at Deepgram.
  const callMs = 4500;
  const toldGaps = first.toldAfter(callMs);
  t.deepEqual(toldGaps, [
    { startMs: 4500, endMs: 5000, missingMs: 500, isStreamed: true },
    { startMs: 6000, endMs: 7000, missingMs: 1000, isStreamed: false },
  ]);
  const told: [startMs: number, endMs: number][] = [];
  const counted: number[] = [];
  const metrics = { notStreamedMs: 0, gap: (_cause: string, ms: number) => counted.push(ms) };
  const gaps = new GapReporter(recordedLog().log, metrics, ({ startMs, endMs }) => told.push([startMs, endMs]), {
    gapMs: first.beforeMs(callMs),
    toldGaps,
  });
  t.is(gaps.totalMs(0), 2000);
  take(gaps, 500, 5000);
  take(gaps, 500, 6000);
  take(gaps, 1500, 7000, 'not-streamed');
  t.is(gaps.totalMs(1500), 2000);
  t.deepEqual([told, counted, metrics.notStreamedMs], [[], [], 0]);
  take(gaps, 2500, 8000);
  t.deepEqual([told, counted], [[[7000, 8000]], [1000]]);
  t.is(gaps.totalMs(2500), 3000);
  t.is(gaps.beforeMs(8000), 3000);
});

test('a process that reads from the start of the call again does not report a missed beginning again', (t) => {
  const told: string[] = [];
  const counted: number[] = [];
  const metrics = { notStreamedMs: 0, gap: (_cause: string, ms: number) => counted.push(ms) };
  const reporter = (earlier?: { missedAtStartMs: number }) =>
    new GapReporter(recordedLog().log, metrics, ({ cause }) => told.push(cause), earlier);
  const first = reporter();
  first.lost('missed-at-start', 700);
  const next = reporter({ missedAtStartMs: first.missedAtStartMs });
  t.is(next.totalMs(0), 700);
  next.lost('missed-at-start', 700);
  t.deepEqual([told, counted], [['missed-at-start'], [700]]);
  // The stream has forgotten more of it meanwhile.
  next.lost('missed-at-start', 900);
  t.deepEqual([told.length, counted, next.totalMs(0), next.missedAtStartMs], [2, [700, 200], 900, 900]);
});

test('what is missing before a moment of the call is known, what earlier processes counted included', (t) => {
  const { log } = recordedLog();
  const gaps = new GapReporter(log, { notStreamedMs: 0, gap: () => {} }, undefined, { gapMs: 1000 });
  t.is(gaps.beforeMs(0), 1000);
  gaps.took({ gapMs: 100, positionMs: 2000 }, 100);
  gaps.check({ gapMs: 100, positionMs: 2000, reachMs: 2000 });
  gaps.note('not-streamed');
  gaps.took({ gapMs: 150, positionMs: 3000 }, 50);
  gaps.check({ gapMs: 150, positionMs: 3000, reachMs: 3000 });
  gaps.took({ gapMs: 350, positionMs: 5000 }, 200);
  gaps.check({ gapMs: 350, positionMs: 5000, reachMs: 5000 });
  t.is(gaps.totalMs(350), 1300);
  t.is(gaps.beforeMs(1900), 1000);
  t.is(gaps.beforeMs(1950), 1050);
  t.is(gaps.beforeMs(4000), 1100);
  t.is(gaps.beforeMs(4900), 1200);
  t.is(gaps.beforeMs(9000), 1300);
});

test('gaps are summed up also where no resume point is ever made', (t) => {
  const { gaps } = reporterOf();
  for (let nth = 1; nth <= 1000; nth++) {
    gaps.took({ gapMs: 10 * nth, positionMs: 100 * nth }, 100);
    gaps.check({ gapMs: 10 * nth, positionMs: 100 * nth, reachMs: 100 * nth });
  }
  t.is(gaps.beforeMs(100_000), 10_000);
});

test('what one side alone lost is reported once, as a gap of that side, also when the call is read again', (t) => {
  const { gaps, counted, of } = reporterOf();
  const silent = { customer: 0, agent: 0 };
  const take = (positionMs: number, isPresent = true) => {
    gaps.check({ gapMs: 0, positionMs, reachMs: positionMs });
    gaps.checkChannels({
      gapMs: 0,
      positionMs,
      reachMs: positionMs,
      silentMs: (channel) => (channel === AGENT ? silent.agent : silent.customer),
      silentToMs: () => 3000,
      isPresent: (channel) => channel !== AGENT || isPresent,
    });
  };
  const play = () => {
    silent.agent = 0;
    take(2000);
    gaps.note('corrupt');
    silent.agent = 1000;
    take(3000, false);
    take(3100);
  };
  play();
  t.deepEqual(counted, [['corrupt', 1000]]);
  t.like(of('audio.gap'), [{ cause: 'corrupt', missingMs: 1000, callMs: 3000, speaker: 'AGENT' }]);
  t.is(gaps.totalMs(0), 1000);
  t.is(gaps.beforeMs(2500), 500);
  gaps.restart();
  t.is(gaps.totalMs(0), 1000);
  play();
  t.deepEqual(counted, [['corrupt', 1000]]);
  t.is(gaps.totalMs(0), 1000);
});
