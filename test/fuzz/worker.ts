import { parentPort, workerData } from 'node:worker_threads';
import { type Finding, TARGETS } from './targets.ts';

/** What a worker runs. */
export interface Task {
  readonly target: string;
  readonly seed: number;
  readonly inputs: number;
}

/** What a worker reports: inputs done, and finally the result. */
export type Report = { readonly inputs: number } | { readonly finding: Finding | undefined };

const { target, seed, inputs } = workerData as Task;
const run = TARGETS[target]?.run;
if (!run || !parentPort) throw new Error(`worker.ts must be started by main.ts with a target; there is no "${target}"`);
const { postMessage } = parentPort;
const say = (report: Report) => postMessage.call(parentPort, report);
say({ finding: await run(seed, inputs, (count) => say({ inputs: count })) });
