import test from 'ava';
import { Program } from '../support/process.ts';
import { HOSTILE_STREAMS } from './hostile-streams.ts';

/** The demuxer holds 256 KiB, the filter 1 MiB of waiting audio, the aligner 480 KB; the rest is V8's own. */
const MOST_HELD_BYTES = 2.5 * 1024 * 1024;

const measuring = new Program('test/fuzz/memory.ts');
test.after.always(() => measuring.stop());

for (const { name } of HOSTILE_STREAMS) {
  test(`memory stays bounded over 24 MB of a hostile stream: ${name}`, async (t) => {
    const { heldBytes } = await measuring.line(({ stream }) => stream === name);
    t.true((heldBytes as number) < MOST_HELD_BYTES, `${heldBytes} bytes are held`);
  });
}
