import { DEFAULT_COLUMNS, type Output } from '../io.ts';

/** Moves to the start of the line and clears it. */
const CLEAR_LINE = '\r\x1b[2K';

/** A progress line: redrawn in place on a terminal, elsewhere printed once per change. */
export class ProgressLine {
  readonly #output: Output;
  #key: string | undefined;
  #isDrawn = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** @param text must be printable; @param key off a terminal, a line is printed whenever it changes */
  show(text: string, key: string): void {
    if (this.#output.isTTY) {
      // A wrapped line could not be cleared.
      const room = (this.#output.columns || DEFAULT_COLUMNS) - 1;
      this.#output.write(`${CLEAR_LINE}${text.slice(0, room)}`);
      this.#isDrawn = true;
    } else if (key !== this.#key) this.#output.write(`${text}\n`);
    this.#key = key;
  }

  /** Clears the line, to make room for other output. */
  clear(): void {
    if (this.#isDrawn) this.#output.write(CLEAR_LINE);
    this.#isDrawn = false;
  }
}
