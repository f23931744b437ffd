import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { countLost } from '../../daemon/log/standard-output.ts';

test('a process whose log is on a full disk goes on', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(full));
  const program = spawn(process.execPath, ['test/log/talkative.ts'], { stdio: ['ignore', full, 'pipe'] });
  const [stderr, [code]] = await Promise.all([text(program.stderr as NodeJS.ReadableStream), once(program, 'exit')]);
  t.is(stderr, 'logged 3000 lines\n');
  t.is(code, 0);
});

test('lines that are lost are counted, and told once lines can be written again', (t) => {
  const stream = new EventEmitter();
  const told: number[] = [];
  let hasRoom = false;
  countLost(stream, (lines) => {
    told.push(lines);
    if (!hasRoom) stream.emit('drop');
  });
  stream.emit('error', new Error('ENOSPC'));
  stream.emit('write');
  t.deepEqual(told, []);
  for (let line = 0; line < 3; line++) stream.emit('drop');
  stream.emit('write');
  hasRoom = true;
  stream.emit('drop');
  stream.emit('write');
  stream.emit('write');
  t.deepEqual(told, [3, 4]);
});
