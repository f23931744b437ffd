import type { Line, Program } from '../support/process.ts';

/** Yields every JSON line of the process, past and future, in order, until it exits. */
export async function* linesOf(program: Program): AsyncGenerator<Line> {
  const { lines } = program;
  for (let next = 0; ; next += 1) {
    if (next === lines.length) {
      const said = program.line((line) => line === lines[next]);
      // `exited` may already have settled.
      await Promise.race([said.catch(() => program.exited), program.exited]);
    }
    const line = lines[next];
    if (!line) return;
    yield line;
  }
}
