import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const SCRIPT = readFileSync(join(import.meta.dirname, '../../systemd/integratord-absence.sh'), 'utf8');
const REPORTER = '/opt/integratord/bin/node /opt/integratord/daemon/lifecycle/report-absence.js';
const SINCE = '/run/integratord-absence/since';
interface Unit {
  readonly state: string;
  readonly restarts?: number;
  /** For how long it has been active. */
  readonly activeForS?: number;
}

interface Look {
  readonly unit: Unit;
  /** Since when the daemon has been missed, and its restarts until then; undefined while it is not. */
  readonly missed?: { readonly forS: number; readonly restarts: number };
  readonly absenceSeconds?: string;
  /** Of report-absence.js. */
  readonly reporterExits?: number;
}

interface Seen {
  readonly code: number | null;
  readonly reported: boolean;
  /** What the script remembers: how long the daemon has been missed, and its restarts. */
  readonly remembers: { forS: number; restarts: number } | undefined;
  readonly stderr: string;
}

/** Runs the script once, between a systemd and a reporter of the test. */
function look({ unit, missed, absenceSeconds, reporterExits = 0 }: Look): Seen {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-absence-'));
  // The script's clock.
  const uptimeS = Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]));
  const file = (name: string) => join(directory, name);
  const program = (name: string, text: string) => {
    writeFileSync(file(name), `#!/bin/sh\n${text}\n`);
    chmodSync(file(name), 0o755);
  };
  try {
    const activeSince = (uptimeS - (unit.activeForS ?? 0)) * 1_000_000;
    program(
      'systemctl',
      `case $* in
      *ActiveState*) echo ${unit.state} ;;
      *NRestarts*) echo ${unit.restarts ?? 0} ;;
      *ActiveEnterTimestampMonotonic*) echo ${activeSince} ;;
      *) exit 1 ;;
      esac`,
    );
    program('reporter', `touch '${file('reported')}'; exit ${reporterExits}`);
    program('script', SCRIPT.replace(REPORTER, file('reporter')).replace(SINCE, file('since')));
    if (missed) writeFileSync(file('since'), `${uptimeS - missed.forS} ${missed.restarts}\n`);
    const env = {
      PATH: `${directory}:${process.env['PATH']}`,
      ...(absenceSeconds === undefined ? {} : { ABSENCE_SECONDS: absenceSeconds }),
    };
    const { status, stderr } = spawnSync(file('script'), { env, encoding: 'utf8' });
    const [since, restarts] = existsSync(file('since')) ? readFileSync(file('since'), 'utf8').split(' ') : [];
    return {
      code: status,
      reported: existsSync(file('reported')),
      remembers: since === undefined ? undefined : { forS: uptimeS - Number(since), restarts: Number(restarts) },
      stderr,
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const GONE = ['inactive', 'failed', 'activating'];
const LONG = { forS: 400, restarts: 0 };

test('the test replaces what the script calls', (t) => {
  t.true(SCRIPT.includes(REPORTER) && SCRIPT.includes(SINCE));
});

for (const state of GONE) {
  test(`a daemon that is ${state} is missed from now on, and reported after five minutes`, (t) => {
    const first = look({ unit: { state, restarts: 2 } });
    t.like(first, { code: 0, reported: false });
    t.is(first.remembers?.restarts, 2);
    // The seconds that the test takes.
    t.true((first.remembers?.forS ?? 99) <= 0);
    t.false(look({ unit: { state }, missed: { forS: 200, restarts: 0 } }).reported);
    t.like(look({ unit: { state }, missed: LONG }), { code: 0, reported: true });
  });
}

test('a daemon that has been active for a minute is back', (t) => {
  const seen = look({ unit: { state: 'active', activeForS: 120, restarts: 9 }, missed: LONG });
  t.like(seen, { code: 0, reported: false, remembers: undefined });
});

test('one that has just been started is not back yet, and not missed again either', (t) => {
  const unit = { state: 'active', activeForS: 5 };
  t.like(look({ unit }), { code: 0, reported: false, remembers: undefined });
  t.deepEqual(look({ unit, missed: { forS: 350, restarts: 0 } }).remembers?.restarts, 0);
  t.false(look({ unit, missed: LONG }).reported);
});

test('one that was restarted three times since it was missed is in a crash loop, active or not', (t) => {
  const loop = { state: 'active', activeForS: 5, restarts: 7 };
  t.true(look({ unit: loop, missed: { forS: 400, restarts: 4 } }).reported);
  t.false(look({ unit: loop, missed: { forS: 400, restarts: 5 } }).reported);
  t.false(look({ unit: loop, missed: { forS: 100, restarts: 4 } }).reported, 'not before five minutes');
});

for (const state of ['deactivating', 'reloading']) {
  test(`a daemon that is ${state} is there`, (t) => {
    t.like(look({ unit: { state }, missed: LONG }), { code: 0, reported: false, remembers: undefined });
  });
}

test('an instance that is left alone gets the whole time again', (t) => {
  const seen = look({ unit: { state: 'inactive' }, missed: LONG, reporterExits: 3 });
  t.like(seen, { code: 0, reported: true, remembers: undefined });
});

test('a report that fails fails the unit, and is tried again', (t) => {
  const seen = look({ unit: { state: 'inactive' }, missed: LONG, reporterExits: 1 });
  t.like(seen, { code: 1, reported: true });
  t.is(seen.remembers?.restarts, 0);
});

test('the time can be set, and a time that is no number is five minutes', (t) => {
  const unit = { state: 'inactive' };
  t.true(look({ unit, missed: { forS: 100, restarts: 0 }, absenceSeconds: '60' }).reported);
  t.false(look({ unit, missed: LONG, absenceSeconds: '900' }).reported);
  for (const absenceSeconds of ['5m', '-1', 'ten', '1.5']) {
    const seen = look({ unit, missed: LONG, absenceSeconds });
    t.true(seen.reported, absenceSeconds);
    t.regex(seen.stderr, /ABSENCE_SECONDS is not a number of seconds/);
    t.false(look({ unit, missed: { forS: 200, restarts: 0 }, absenceSeconds }).reported, absenceSeconds);
  }
  t.true(look({ unit, missed: LONG, absenceSeconds: '' }).reported);
});

test('a state that cannot be read ends the script, and reports nothing', (t) => {
  const seen = look({ unit: { state: 'x; exit 1' }, missed: LONG });
  t.not(seen.code, 0);
  t.false(seen.reported);
});
