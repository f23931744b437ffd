import { randomBytes } from 'node:crypto';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

const KEY = 'integratord results process';

/**
 * Names this process in the names of its files, because threads have the same names in every process. Worker threads
 * inherit it from the thread that starts them. It begins with the time of the start, so that names sort by it.
 */
export const PROCESS_ID = (getEnvironmentData(KEY) as string | undefined) ?? newProcessId();

function newProcessId(): string {
  const id = `${Date.now().toString(36)}${randomBytes(2).toString('hex')}`;
  setEnvironmentData(KEY, id);
  return id;
}
