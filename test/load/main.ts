#!/usr/bin/env node
/** Puts a daemon under the load of many calls and measures it from outside: see README.md. */
import { constants } from 'node:os';
import { CommanderError } from 'commander';
import { comparisonText, turnText } from './comparison-report.ts';
import { relayFaults, versionFaults } from './comparison-verdict.ts';
import { LoadFailed } from './failure.ts';
import { LoadRun } from './load-run.ts';
import { type Options, readOptions } from './options.ts';
import { type Report, reportText } from './report.ts';
import { openSetup } from './setup.ts';
import { type Side, sidesOf } from './sides.ts';
import { type TurnFigures, turnFigures } from './turns.ts';
import { verdictOn } from './verdict.ts';

/** Exit code of a process ended by a signal, as shells report it. */
const SIGNALLED = 128;

const options = optionsOrExit();
const cleanup = new AsyncDisposableStack();
const say = (text: string) => process.stderr.write(`load: ${text}\n`);

let exitCode = 1;
try {
  exitCode = await Promise.race([interruption(), run()]);
} catch (error) {
  say(error instanceof LoadFailed ? error.message : String((error as Error).stack));
}
await cleanup.disposeAsync();
process.exit(exitCode);

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    // Commander has printed the error, or the help.
    if (error instanceof CommanderError) process.exit(error.exitCode);
    throw error;
  }
}

async function run(): Promise<number> {
  const sides = sidesOf(options);
  if (sides) return compare(sides);
  const report = await runOnce(options);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report));
  return report.verdict.passed ? 0 : 1;
}

async function runOnce(of: Options): Promise<Report> {
  const own = cleanup.use(new AsyncDisposableStack());
  const setup = await openSetup(of, own);
  const judged = await Promise.race([new LoadRun(setup, of, say).run(), setup.failed]);
  if (of.profile) await setup.daemon.stop();
  await own.disposeAsync();
  return { ...judged, verdict: verdictOn(judged) };
}

/** The sides take turns, so that what else the machine does meets all of them. */
async function compare(sides: readonly Side[]): Promise<number> {
  const turns = sides.map(({ name }) => ({ name, turns: [] as TurnFigures[] }));
  let machine: Report['machine'] | undefined;
  for (let round = 1; round <= options.rounds; round++) {
    for (const [index, side] of sides.entries()) {
      const report = await runOnce(side.options);
      const figures = turnFigures(report);
      say(`round ${round} of ${options.rounds}, ${side.name}: ${turnText(figures)}`);
      turns[index]?.turns.push(figures);
      machine = report.machine;
    }
  }
  const failures = options.compareResults ? relayFaults(turns) : versionFaults(turns);
  const verdict = { passed: failures.length === 0, failures };
  const report = { machine: machine as Report['machine'], sides: turns, verdict };
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : comparisonText(report));
  return verdict.passed ? 0 : 1;
}

/** Resolves with the exit code at the first signal. Under npm every signal arrives twice, once more from npm. */
function interruption(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve(SIGNALLED + constants.signals[signal]));
    }
  });
}
