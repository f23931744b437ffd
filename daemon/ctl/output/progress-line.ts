import { DEFAULT_COLUMNS, type Output } from '../io.ts';

/** To the begin of the line, and clear it. */
const CLEAR_LINE = '\r\x1b[2K';

/** A line about something that goes on: redrawn on a terminal, elsewhere a line for each change that matters. */
export class ProgressLine {
  readonly #output: Output;
  #key: string | undefined;
  #isDrawn = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** @param text printable; `key` tells when it has changed in a way that is worth a line of a log */
  show(text: string, key: string): void {
    if (this.#output.isTTY) {
      // A line that wraps could not be cleared.
      const room = (this.#output.columns || DEFAULT_COLUMNS) - 1;
      this.#output.write(`${CLEAR_LINE}${text.slice(0, room)}`);
      this.#isDrawn = true;
    } else if (key !== this.#key) this.#output.write(`${text}\n`);
    this.#key = key;
  }

  /** Takes the line back from a terminal, for something else to be written there. */
  clear(): void {
    if (this.#isDrawn) this.#output.write(CLEAR_LINE);
    this.#isDrawn = false;
  }
}
