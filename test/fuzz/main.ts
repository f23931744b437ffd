import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { seedFrom } from './seed.ts';
import { type Finding, report, TARGETS } from './targets.ts';
import type { Report, Task } from './worker.ts';

const DEFAULT_INPUTS = '200000';
const PROGRESS_EVERY_MS = 5000;
/** Longer than any ten inputs take, including shrinking: a target without progress for this long hangs. */
const LONGEST_SILENCE_MS = 5 * 60_000;

/** A target's progress. */
interface Progress {
  readonly target: string;
  readonly inputs: number;
  done: number;
  state: 'running' | 'passed' | 'failed';
}

const { values } = parseArgs({ options: { inputs: { type: 'string', default: DEFAULT_INPUTS } } });
const inputs = Number(values.inputs);
if (!Number.isInteger(inputs) || inputs < 1) {
  throw new Error(`--inputs is "${values.inputs}": it must be a whole number of inputs, such as ${DEFAULT_INPUTS}`);
}
const seed = seedFrom(process.env, Math.floor(Math.random() * 2 ** 31));
const startedAtMs = performance.now();
const progresses: Progress[] = Object.entries(TARGETS).map(([target, { share, most = Infinity }]) => ({
  target,
  inputs: Math.min(most, Math.ceil(share * inputs)),
  done: 0,
  state: 'running',
}));

const say = (line: string) => process.stdout.write(`${line}\n`);
say(`FUZZ_SEED=${seed}, ${inputs} inputs`);
const ticker = setInterval(() => say(summary()), PROGRESS_EVERY_MS);
const findings = (await Promise.all(progresses.map(runOf))).filter((finding) => finding !== undefined);
clearInterval(ticker);
say(summary());
for (const finding of findings) say(`\nFINDING in ${report(finding)}`);
const total = progresses.reduce((sum, { done }) => sum + done, 0);
say(`${total} inputs, ${findings.length} findings`);
process.exitCode = findings.length > 0 ? 1 : 0;

function summary(): string {
  const seconds = Math.round((performance.now() - startedAtMs) / 1000);
  const targets = progresses.map(({ target, done, inputs, state }) => `${target} ${done}/${inputs} ${state}`);
  return `${seconds} s: ${targets.join(', ')}`;
}

/** Runs a target in its own thread. If it hangs, crashes or runs out of memory, that is a finding. */
async function runOf(progress: Progress): Promise<Finding | undefined> {
  const task: Task = { target: progress.target, seed, inputs: progress.inputs };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  });
  const { promise, resolve } = Promise.withResolvers<Finding | undefined>();
  const broken = (error: string) => resolve({ target: progress.target, seed, error, input: 'unknown', hex: [] });
  const silence = setTimeout(
    () => broken(`no progress for ${LONGEST_SILENCE_MS} ms after ${progress.done} inputs: it hangs`),
    LONGEST_SILENCE_MS,
  );
  worker.on('message', (message: Report) => {
    silence.refresh();
    if ('inputs' in message) progress.done += message.inputs;
    else resolve(message.finding);
  });
  worker.on('error', (error) => broken(`after ${progress.done} inputs: ${error.stack}`));
  worker.on('exit', (code) => broken(`the thread ended with ${code} after ${progress.done} inputs`));
  const finding = await promise;
  clearTimeout(silence);
  await worker.terminate();
  progress.state = finding ? 'failed' : 'passed';
  return finding;
}
