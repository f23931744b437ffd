import test from 'ava';
import { comparisonText } from './comparison-report.ts';
import { relayFaults, versionFaults } from './comparison-verdict.ts';
import { middleOf, type SideTurns, type TurnFigures } from './turns.ts';

const TURN: TurnFigures = {
  cpuMsPerCallSecond: 0.5,
  lagP50: 110,
  lagP99: 220,
  rssKibPerCall: 150,
  deliveryP50: undefined,
  deliveryP99: undefined,
  failures: [],
};
const DELIVERED = { deliveryP50: 60, deliveryP99: 150 };

/** A side whose runs differ from TURN by these. */
function side(name: string, ...turns: readonly Partial<TurnFigures>[]): SideTurns {
  return { name, turns: turns.map((turn) => ({ ...TURN, ...turn })) };
}

test('the middle of an even number of runs is between the two in the middle', (t) => {
  const runs = [{ lagP50: 4 }, { lagP50: 1 }, { lagP50: 3 }, { lagP50: 100 }];
  t.deepEqual(middleOf(side('a', ...runs), 'lagP50'), { median: 3.5, least: 1, most: 100 });
  t.deepEqual(middleOf(side('a', ...runs.slice(1)), 'lagP50'), { median: 3, least: 1, most: 100 });
  t.is(middleOf(side('a', {}), 'deliveryP99'), undefined);
});

const CALLBACK = side('callback', {}, { lagP99: 230 });

for (const [what, relay, faults] of [
  ['a relay within its bounds passes', { cpuMsPerCallSecond: 0.62, ...DELIVERED }, []],
  ['more CPU fails', { cpuMsPerCallSecond: 0.63, ...DELIVERED }, [/^CPU is 1\.260 times/]],
  ['more lag fails', { lagP50: 125, ...DELIVERED }, [/^lag p50, ms: 113\.6 % of that with a callback$/]],
  ['slow delivery fails', { deliveryP99: 500 }, [/^delivery p99 is 500 ms, less than 500 ms required$/]],
  ['a relay that delivers nothing fails', {}, [/^no result was delivered$/]],
  ['a run that failed fails', { ...DELIVERED, failures: ['gaps'] }, [/^round 1, relay: gaps$/]],
] as const) {
  test(`compared with a callback, ${what}`, (t) => {
    const found = relayFaults([CALLBACK, side('relay', relay)]);
    t.is(found.length, faults.length, found.join('\n'));
    for (const [index, words] of faults.entries()) t.regex(found[index] ?? '', words);
  });
}

const OLD = side('old', { lagP50: 105 }, {}, { lagP50: 115, lagP99: 222, cpuMsPerCallSecond: 0.51 });

for (const [what, latest, faults] of [
  ['the same passes', { lagP99: 219 }, []],
  ['better in everything passes', { cpuMsPerCallSecond: 0.3, lagP50: 50, lagP99: 100, rssKibPerCall: 100 }, []],
  ['more than 5 % fails', { lagP50: 116, lagP99: 219 }, [/^lag p50, ms: 105\.5 % of the old one's$/]],
  ['more than the spread fails', { lagP99: 223 }, [/^lag p99, ms: 3\.000 more, and the old one's spread is 2\.000$/]],
  ['more than 20 KiB per call fail', { rssKibPerCall: 170.5 }, [/^memory per call, KiB: 20\.5 more/]],
] as const) {
  test(`compared with the old daemon, ${what}`, (t) => {
    const found = versionFaults([OLD, side('new', latest)]);
    t.is(found.length, faults.length, found.join('\n'));
    for (const [index, words] of faults.entries()) t.regex(found[index] ?? '', words);
  });
}

test('a comparison shows medians, spreads and ratios', (t) => {
  const machine = { cores: 2, cpu: 'CPU', node: 'v24', date: '2026-11-28' };
  const sides = [CALLBACK, side('relay', { cpuMsPerCallSecond: 0.6, ...DELIVERED })];
  const text = comparisonText({ machine, sides, verdict: { passed: true, failures: [] } });
  t.regex(text, /^CPU per s of call, ms +0\.500 \(0\.500 to 0\.500\) +0\.600 \(0\.600 to 0\.600\) x 1\.200$/m);
  t.regex(text, /^lag p99, ms +225\.0 \(220\.0 to 230\.0\)/m);
  t.regex(text, /^delivery p99, ms +150\.0/m);
  t.regex(text, /^PASSED$/m);
});
