/** Loaded into the daemon with `--import`: a worker thread throws once a file with its name exists. */
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
    throw new Error(`the test crashes ${name}`);
  }, LOOK_EVERY_MS);
  looking.unref();
}
