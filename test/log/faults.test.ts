import test from 'ava';
import { Program } from '../support/process.ts';

for (const [how, origin] of [
  ['thrown', 'uncaughtException'],
  ['rejected', 'unhandledRejection'],
] as const) {
  test(`an uncaught error that was ${how} is logged, masked, and ends the process`, async (t) => {
    const program = new Program('test/log/faulty.ts', [how]);
    t.is(await program.exited, 1);
    t.is(program.stderr, '', 'nothing bypasses the log');
    const [line, ...others] = program.lines;
    t.deepEqual(others, []);
    t.like(line, {
      level: 'error',
      event: 'daemon.fault',
      origin,
      error: 'Error: the key *** is wrong',
      causes: ['Error: no answer from https://***@h.example/***'],
    });
    t.regex(JSON.stringify(line?.['stack']), /faulty\.ts:\d+/);
    t.notRegex(JSON.stringify(line), /planted/);
  });
}
