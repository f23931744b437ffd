import type { ExecutionContext } from 'ava';
import { FakeDaemon } from './fake-daemon.ts';

/** A fake daemon that closes when the test ends. */
export async function fakeFor(t: ExecutionContext, options: { killable?: boolean } = {}): Promise<FakeDaemon> {
  const daemon = await FakeDaemon.open(options);
  t.teardown(() => daemon.close());
  return daemon;
}
