import { parentPort, workerData } from 'node:worker_threads';
import { type Finding, TARGETS } from './targets.ts';

/** What a worker is to do. */
export interface Task {
  readonly target: string;
  readonly seed: number;
  readonly inputs: number;
}

/** What it says of it: inputs that are done, and at last how it ended. */
export type News = { readonly inputs: number } | { readonly finding: Finding | undefined };

const { target, seed, inputs } = workerData as Task;
const run = TARGETS[target]?.run;
if (!run || !parentPort) throw new Error(`worker.ts is started by main.ts, with a target: there is no "${target}"`);
const { postMessage } = parentPort;
const say = (news: News) => postMessage.call(parentPort, news);
say({ finding: await run(seed, inputs, (count) => say({ inputs: count })) });
