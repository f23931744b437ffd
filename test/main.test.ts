import test from 'ava';
import { ScriptProcess } from './support/script-process.ts';

test('integratord says in one line what is wrong with its arguments', async (t) => {
  const daemon = new ScriptProcess('daemon/main.ts', ['--no-such']);
  t.is(await daemon.exited, 1);
  t.is(daemon.stderr, "integratord: unknown option '--no-such'; see: integratord --help\n");
});
