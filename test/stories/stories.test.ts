import test from 'ava';
import { ScriptProcess } from '../support/script-process.ts';

/** Stories start several processes each: one after another. */
for (const [story, args, conclusion] of [
  ['failed-call', [], /HTTP 402, no credit left/],
  ['first-transcript', ['--speed', '10'], /A call and its transcript, \d+ s after/],
  ['move-flow', [], /Its transcript, completed, 0 events missing:.*CUSTOMER: goodbye/s],
] as const) {
  test.serial(`the story runs as written: ${story}`, async (t) => {
    const script = new ScriptProcess('test/stories/main.ts', [story, ...args]);
    t.teardown(() => script.stop('SIGKILL'));
    t.is(await script.exited, 0, script.stdout + script.stderr);
    t.regex(script.stdout, conclusion);
  });
}
