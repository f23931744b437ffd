import { createServer } from 'node:http';
import test from 'ava';
import { listening } from '../support/loopback.ts';
import { Program } from '../support/process.ts';

test('a signal that comes before the daemon accepts starts drains it', async (t) => {
  const asked = Promise.withResolvers<void>();
  // AWS credentials that do not come.
  const port = await listening(
    t,
    createServer(() => asked.resolve()),
  );
  const daemon = new Program('daemon/main.ts', [], {
    AWS_REGION: 'us-east-1',
    DEEPGRAM_API_KEY: 'key-of-the-test',
    HOST: '127.0.0.1',
    PORT: '0',
    WORKERS: '0',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/`,
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  t.teardown(() => daemon.stop('SIGKILL'));
  await asked.promise;
  process.kill(daemon.pid, 'SIGTERM');
  t.is(await daemon.exited, 0);
  t.like(await daemon.line(({ event }) => event === 'drain.began'), { source: 'signal', reason: 'SIGTERM' });
  t.truthy(await daemon.line(({ event }) => event === 'daemon.stopped'));
});
