import test from 'ava';
import { RepetitionReporter } from '../../daemon/session/repetition-report.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function reporterOf() {
  const { log, of } = recordedLog();
  const clock = new VirtualClock();
  const metrics = { repeatedMs: 0 };
  return {
    repetitions: new RepetitionReporter(log, metrics, clock),
    metrics,
    clock,
    lines: () => of('audio.repeated'),
  };
}

test('audio sent again is counted as it comes, and logged once when it is over', (t) => {
  const { repetitions, metrics, lines } = reporterOf();
  repetitions.check({ repeatedMs: 0, isRepeating: false, positionMs: 1000 });
  repetitions.check({ repeatedMs: 1024, isRepeating: true, positionMs: 1000 });
  t.is(metrics.repeatedMs, 1024);
  t.deepEqual(lines(), []);
  repetitions.check({ repeatedMs: 2048, isRepeating: true, positionMs: 1000 });
  repetitions.check({ repeatedMs: 2048, isRepeating: false, positionMs: 1064 });
  repetitions.check({ repeatedMs: 2048, isRepeating: false, positionMs: 2000 });
  t.is(metrics.repeatedMs, 2048);
  t.is(lines().length, 1);
  t.like(lines(), [{ level: 'info', repeatedMs: 2048, callMs: 1064 }]);
});

test('repeats by a producer are logged every 10 s, all of them counted', (t) => {
  const { repetitions, clock, lines } = reporterOf();
  for (let nth = 1; nth <= 100; nth++) {
    repetitions.check({ repeatedMs: nth * 64, isRepeating: false, positionMs: nth * 64 });
    clock.forward(100);
  }
  t.deepEqual(
    lines().map((line) => line['repeatedMs']),
    [64],
  );
  clock.forward(1000);
  repetitions.check({ repeatedMs: 6400, isRepeating: false, positionMs: 7000 });
  t.deepEqual(
    lines().map((line) => line['repeatedMs']),
    [64, 6336],
  );
});

test('a repetition at the end of a call is logged when it ends', (t) => {
  const { repetitions, metrics, lines } = reporterOf();
  repetitions.check({ repeatedMs: 1024, isRepeating: true, positionMs: 1000 });
  repetitions.finish({ repeatedMs: 1024, isRepeating: true, positionMs: 1000 });
  repetitions.finish({ repeatedMs: 1024, isRepeating: true, positionMs: 1000 });
  t.is(metrics.repeatedMs, 1024);
  t.is(lines().length, 1);
});
