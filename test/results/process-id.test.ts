import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { PROCESS_ID } from '../../daemon/results/spool/process-id.ts';

test('the threads of a process share its id', async (t) => {
  const module = new URL('../../daemon/results/spool/process-id.ts', import.meta.url).href;
  const code = `import { parentPort } from 'node:worker_threads';
    parentPort.postMessage((await import('${module}')).PROCESS_ID);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  t.teardown(() => worker.terminate());
  const [id] = await once(worker, 'message');
  t.is(id, PROCESS_ID);
  t.regex(PROCESS_ID, /^[0-9a-z]{12,}$/);
});
