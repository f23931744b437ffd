import type { Line, Program } from '../support/process.ts';

/** Every JSON line that the process has written and will write, in order, until it ends. */
export async function* linesOf(program: Program): AsyncGenerator<Line> {
  const { lines } = program;
  for (let next = 0; ; next += 1) {
    if (next === lines.length) {
      const said = program.line((line) => line === lines[next]);
      // `exited` tells the end as well, also when there is nothing to wait for any more.
      await Promise.race([said.catch(() => program.exited), program.exited]);
    }
    const line = lines[next];
    if (!line) return;
    yield line;
  }
}
