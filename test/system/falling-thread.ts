/** Loaded into the daemon by `--import`: a worker thread throws, as a fault of its own would, once a file names it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, workerData } from 'node:worker_threads';

const LOOK_EVERY_MS = 20;

const directory = process.env['FALLING_THREADS'];
if (!isMainThread && directory) {
  const { name } = workerData as { name: string };
  const looking = setInterval(() => {
    if (!existsSync(join(directory, name))) return;
    clearInterval(looking);
    throw new Error(`the test lets ${name} fall`);
  }, LOOK_EVERY_MS);
  looking.unref();
}
