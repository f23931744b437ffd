import { DEFAULT_COLUMNS, type Io } from '../io.ts';
import { printable } from './printable.ts';
import { wrapped } from './wrap.ts';

const NAME = 'integratorctl: ';

/** Writes a sentence to stderr, apart from the data. */
export function remark({ stderr }: Pick<Io, 'stderr'>, text: string): void {
  const width = stderr.isTTY ? stderr.columns || DEFAULT_COLUMNS : Infinity;
  stderr.write(`${NAME}${wrapped(printable(text), NAME.length, width).join('\n')}\n`);
}
