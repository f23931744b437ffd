/** Measures the CPU cost of integratord next to what a Node user would write today: see README.md. */
import { cpus, release, totalmem, type } from 'node:os';
import { CommanderError } from 'commander';
import { bench } from './bench.ts';
import type { Report } from './figures.ts';
import { type Options, readOptions } from './options.ts';
import { ALL_CONTENDERS } from './plan.ts';
import { tableOf } from './table.ts';
import { targetsIn } from './targets.ts';

const options = optionsOrExit();
const date = new Date().toISOString();
const figures = await bench(options, (line) => process.stderr.write(`${line}\n`));
const [{ model = 'unknown CPU' } = {}] = cpus();
const report: Report = {
  date,
  machine: {
    cpu: model.trim(),
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
  },
  node: process.versions.node,
  options,
  figures,
  targets: targetsIn(figures),
};
process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : tableOf(report));
process.exitCode = options.check && report.targets.some(({ met }) => !met) ? 1 : 0;

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2), ALL_CONTENDERS);
  } catch (error) {
    // Commander has printed the error, or the help.
    if (error instanceof CommanderError) process.exit(error.exitCode);
    throw error;
  }
}
